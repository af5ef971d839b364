"""The global brake: while it is on, no send leaves; labels, drafts and calls go on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from engine.flow.gate import PAUSED
from engine.store.base import Base
from engine.store.batch import dump
from engine.store.letters import one_line

MAX_TEXT = 500
LOGGED = 100
"""So many pauses and resumptions are remembered."""


@dataclass(frozen=True, slots=True)
class Brake:
    """Who paused sends, since when (epoch ms) and why."""

    since: int
    who: str
    why: str = ""

    def __str__(self) -> str:
        return f"{PAUSED} since {self.as_dict()['since']} by {self.who}{self.why and f': {self.why}'}"

    def as_dict(self) -> dict[str, str]:
        """As machines read it."""
        since = datetime.fromtimestamp(self.since / 1000, UTC).isoformat(timespec="seconds")
        return {"since": since, "who": self.who, "why": self.why}


def parse_brake(text: str | None) -> Brake | None:
    """Read the text that stands in Redis."""
    return Brake(**json.loads(text)) if text else None


async def read_brake(base: Base) -> Brake | None:
    """The brake, where it is on."""
    return parse_brake(await base.redis.get(base.key("brake")))


async def pause_sends(base: Base, who: str, why: str, now: int) -> Brake:
    """Put the brake on. One that is on already stays as it is, and is given."""
    wanted = Brake(now, one_line(who, MAX_TEXT), one_line(why, MAX_TEXT))
    told = {"did": "pause", "at": now, "who": wanted.who, "why": wanted.why}
    return await _set(base, dump(asdict(wanted)), told) or wanted


async def resume_sends(base: Base, who: str, now: int) -> Brake | None:
    """Let sends go on; give the brake that was on, None if none was."""
    return await _set(base, "", {"did": "resume", "at": now, "who": one_line(who, MAX_TEXT)})


async def brake_log(base: Base) -> list[dict[str, Any]]:
    """Who paused sends and let them go on, and when, the oldest first."""
    return [json.loads(text) for text in await base.redis.lrange(base.key("brake-log"), 0, -1)]


async def _set(base: Base, brake: str, entry: Mapping[str, Any]) -> Brake | None:
    keys = [base.key("brake"), base.key("brake-log")]
    return parse_brake(await base.scripts("brake", keys, [brake, dump(entry), LOGGED]))
