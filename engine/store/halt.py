"""Acting, halted: what may have been done and was forgotten is looked up before anything more is done.

While the key `halted` stands, the scripts give no step and no lane to anybody; polling and webhooks go on.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from engine.store.base import Base

log = logging.getLogger("postroom.halt")

EMPTIED = (
    "the database was emptied: restore a backup, else earlier mail is left alone and earlier work forgotten"
)


@dataclass(frozen=True, slots=True)
class Halt:
    """Since when (epoch ms) and why nothing is done."""

    since: int
    why: str

    def __str__(self) -> str:
        since = datetime.fromtimestamp(self.since / 1000, UTC).isoformat(timespec="seconds")
        return f"acting is halted since {since}: {self.why}; run `postroom recover`"


async def read_halt(base: Base) -> Halt | None:
    """The halt that stands."""
    return _halt(await base.redis.get(base.key("halted")))


async def notice_halt(base: Base) -> Halt | None:
    """The halt that stands, once it was looked whether a replica was promoted."""
    return _halt(await base.scripts("watch", [], []))


async def halt(base: Base, why: str, now: int) -> Halt:
    """Halt acting. A halt that stands already stays as it is."""
    wanted = Halt(now, why)
    await base.redis.setnx(base.key("halted"), json.dumps(asdict(wanted)))
    return await read_halt(base) or wanted


async def lift(base: Base) -> None:
    """Let acting go on."""
    await base.redis.delete(base.key("halted"))


class HaltWatch:
    """Says once, in the log, that acting is halted, and that it goes on."""

    def __init__(self, base: Base) -> None:
        self._base = base
        self.seen: Halt | None = None
        self._had_data = False

    async def look(self) -> Halt | None:
        found = await notice_halt(self._base) or await self._notice_loss()
        if found != self.seen:
            log.error("%s", found) if found else log.warning("acting goes on")
        self.seen = found
        return found

    async def _notice_loss(self) -> Halt | None:
        """Halt when all data are gone, as when Redis comes back without its disk."""
        time, layout = await self._ask()
        if self._had_data and not layout:
            return await halt(self._base, EMPTIED, time)
        self._had_data = bool(layout)
        return None

    async def _ask(self) -> tuple[int, str | None]:
        async with self._base.redis.pipeline(transaction=False) as pipe:
            pipe.time()
            pipe.get(self._base.key("schema"))
            (seconds, micros), layout = await pipe.execute()
        return seconds * 1000 + micros // 1000, layout


def _halt(text: str | None) -> Halt | None:
    return Halt(**json.loads(text)) if text else None
