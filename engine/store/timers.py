"""Timers in Redis: one sorted set by time, in which lane and event are the member itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from engine.flow.timers import Timer
from engine.store.base import CHUNK, Base, chunks
from engine.store.batch import Batch

FIRED_AT_ONCE = 1_000
"""Timers that one script takes away: it holds Redis up for some milliseconds."""
BATCHES = 4
"""Scripts of one tick; what is due beyond has its turn a second later."""
LATE_MS = 5_000
"""A timer that is due for longer than this is overdue: no tick has come, or too many are due at once."""


class RedisTimers:
    """Timers that are pending."""

    def __init__(self, base: Base) -> None:
        self._base, self._redis, self._key = base, base.redis, base.key("timers")

    async def set(self, timers: Sequence[Timer]) -> None:
        for chunk in chunks(timers):
            await self._redis.zadd(self._key, {timer.member: timer.due for timer in chunk})

    async def cancel(self, timers: Sequence[Timer]) -> int:
        """Take timers away by lane and event, whatever their time; say how many there were."""
        gone = [await self._redis.zrem(self._key, *(one.member for one in chunk)) for chunk in chunks(timers)]
        return sum(gone)

    async def fire(self, now: int) -> int:
        """Put the events of those that are due into their lanes, a bounded number; say how many."""
        fired = 0
        for _ in range(BATCHES):
            keys = [self._key, self._base.key("awake")]
            some = int(await self._base.scripts("fire", keys, [now, FIRED_AT_ONCE]))
            fired += some
            if some < FIRED_AT_ONCE:
                break
        return fired

    async def pending(self) -> AsyncIterator[Timer]:
        """Every timer, the next one first; one that is moved meanwhile may come twice or not at all."""
        start = 0
        while found := await self._redis.zrange(self._key, start, start + CHUNK - 1, withscores=True):
            for member, due in found:
                yield Timer.from_member(member, int(due))
            start += CHUNK

    async def counts(self, now: int) -> tuple[int, int]:
        """How many are pending, and how many of them overdue."""
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.zcard(self._key)
            pipe.zcount(self._key, "-inf", now - LATE_MS)
            pending, overdue = await pipe.execute()
        return pending, overdue


def set_timers(batch: Batch, timers: Sequence[Timer]) -> None:
    """Set timers in the step that commits what they follow from."""
    words = [word for timer in timers for word in (timer.due, timer.member)]
    batch.add_many("ZADD", batch.key("timers"), words)
