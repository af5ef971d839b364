"""The gate in Redis: one script looks at brake, suppressed addresses and windows, and counts what passes."""

from __future__ import annotations

import json
from collections.abc import Sequence

from engine.flow.gate import Passage, Verdict
from engine.flow.stores import Claim
from engine.store.base import Base
from engine.store.brake import parse_brake
from engine.store.journal import held_claim

PARKED_MS = 3_600_000
"""A run that waits while sends are paused is tried as often, should nobody wake it."""


class RedisGate:
    """The Gate port on Redis."""

    def __init__(self, base: Base) -> None:
        self._base, self._key = base, base.key

    async def ask(self, passage: Passage, now: int) -> Verdict:
        counts = [count for count in passage.counts if count.windows]
        keys = [self._key("brake"), self._key("suppressed"), *(self._key("gate", one.key) for one in counts)]
        keys += [self._key("gate", one.given or one.key) for one in counts]
        args: list[str | int] = [now, max(now, passage.kept_until), passage.leaves]
        args += [int(passage.brakes), len(passage.addresses), *passage.addresses]
        for count in counts:
            args += [
                int(count.limits),
                int(bool(count.given)),
                "" if count.looks else count.member or passage.step,
                len(count.windows),
            ]
            args += [figure for window in count.windows for figure in (window.at_most, window.ms)]
        answer = await self._base.scripts("gate", keys, args)
        if answer[0] == "paused":
            return Verdict(paused=str(parse_brake(answer[1])))
        return _verdict(passage, answer[1:])

    async def park(self, claim: Claim, why: str, now: int) -> int:
        run = claim.run.id
        keys = [self._key("run", run), self._key("due"), self._key("brake"), self._key("braked")]
        args: list[str | int] = [run, held_claim(claim), now, now + PARKED_MS]
        args += [int(claim.unknown), claim.looks, why, claim.failing]
        return int(await self._base.scripts("park", keys, args))


def _verdict(passage: Passage, objections: Sequence[str]) -> Verdict:
    """Read what stands against a step: of a recipient, of the step as a whole; the first reason counts."""
    counts = [count for count in passage.counts if count.windows]
    barred: dict[str, str] = {}
    held = ""
    for kind, index, what, used in zip(*(objections[part::4] for part in range(4)), strict=True):
        if kind == "suppressed":
            barred[passage.addresses[int(index) - 1]] = f"it is suppressed: {json.loads(what)['why']}"
            continue
        count = counts[int(index) - 1]
        said = count.told(count.windows[int(what) - 1], int(used))
        if count.address:
            barred.setdefault(count.address, said)
        else:
            held = held or said
    return Verdict(barred=barred, held=held)
