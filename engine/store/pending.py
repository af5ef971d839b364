"""What is to happen later, as people see it: timers, steps that wait, schedules; and cancelling one."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from engine.flow.recorded import Recorded
from engine.flow.scheduling import next_time
from engine.flow.timers import Timer
from engine.mail.events import SCHEDULED
from engine.store.base import CHUNK, Base
from engine.store.batch import dump
from engine.store.journal import RedisJournal
from engine.store.schedules import RedisSchedules
from engine.store.timers import RedisTimers

SHORT = 12
"""Signs of an id that people are shown."""


@dataclass(frozen=True, slots=True)
class Pending:
    """One thing that is to happen."""

    id: str
    due: int
    """Epoch ms."""
    what: str
    mailbox: str
    rule: str = ""
    message: str = ""
    timer: Timer | None = field(default=None, repr=False)
    run: Recorded | None = field(default=None, repr=False)


async def pending(base: Base) -> AsyncIterator[Pending]:
    """Give schedules, then steps that wait, then timers, each by its time."""
    for place, mark in sorted((await RedisSchedules(base).marks()).items()):
        kind, mailbox = place
        due = next_time(mark)
        yield Pending(_digest("\n".join(place)), due, "schedule", mailbox, kind.removeprefix(SCHEDULED))
    async for recorded, due in _delayed(base):
        run, step = recorded.run, _next_step(recorded)
        what = f"step {step}: {run.steps[step].kind}"
        yield Pending(run.id[:SHORT], due, what, run.mailbox, run.rule, run.key, run=recorded)
    async for timer in RedisTimers(base).pending():
        event = timer.event
        told = (event.kind.value, event.mailbox, event.only, event.key)
        yield Pending(_digest(timer.member), timer.due, *told, timer=timer)


async def cancel(base: Base, one: Pending, by: str, now: int) -> bool:
    """Let it never happen; False where it has begun by now, or cannot be cancelled."""
    if one.timer:
        return await RedisTimers(base).cancel([one.timer]) > 0
    if one.run is None:
        return False
    receipt = dump({"outcome": "held", "why": f"cancelled by {by}"})
    run = one.run.run
    return bool(await base.scripts("cancel", [], [run.id, now, receipt, *range(run.grouped, len(run.steps))]))


async def _delayed(base: Base) -> AsyncIterator[tuple[Recorded, int]]:
    journal, key, start = RedisJournal(base), base.key("delayed"), 0
    while found := dict(await base.redis.zrange(key, start, start + CHUNK - 1, withscores=True)):
        for one in await journal.get_all(list(found)):
            if one.state == "open" and len(one.receipts) < len(one.run.steps):
                yield one, int(found[one.run.id])
        start += CHUNK


def _next_step(recorded: Recorded) -> int:
    steps = range(recorded.run.grouped, len(recorded.run.steps))
    return next((step for step in steps if step not in recorded.receipts), 0)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:SHORT]
