"""Once a second: wake what is due. If every job were lost, the next ticks would make them anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from engine.flow.scheduling import Scheduling, see_to_schedules

TICK_MS = 900
TRIM_MS = 600_000
BUSY = 500
"""With so many jobs under way, runs that wait for their turn are not enqueued once more."""


class Wakes(Protocol):
    """What finds and wakes what is due."""

    async def turn(self, name: str, ms: int) -> bool: ...

    async def backlog(self, now: int) -> int: ...

    async def timers(self, now: int) -> int: ...

    async def runs(self, now: int) -> int: ...

    async def lanes(self, now: int) -> int: ...

    async def polls(self, intervals: Mapping[str, int], now: int) -> int: ...

    async def trim(self, now: int, retention: int) -> int: ...


async def tick(
    wakes: Wakes, scheduling: Scheduling, intervals: Mapping[str, int], retention: int, now: int
) -> None:
    """Set off and wake what is due; now and then, forget what is older than `retention` ms."""
    if not await wakes.turn("tick", TICK_MS):
        return
    await wakes.timers(now)
    if await wakes.backlog(now) < BUSY:
        await wakes.runs(now)
    await wakes.lanes(now)
    await wakes.polls(intervals, now)
    await see_to_schedules(scheduling, now)
    if await wakes.turn("trim", TRIM_MS):
        await wakes.trim(now, retention)
