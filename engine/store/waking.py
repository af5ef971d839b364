"""What is due, and waking it: the net under everything that was enqueued and got lost."""

from __future__ import annotations

import json
from collections.abc import Mapping

from engine.store.base import JOB_TTL_MS, Base
from engine.store.jobs import LEAD_MS, enqueue, new_job
from engine.store.timers import RedisTimers
from engine.store.trim import trim

CALM_MS = 3_000
"""How long something that was just woken is left alone."""
RUNS_AT_ONCE = 500


class Waking:
    """Finds what is due; each call is a few round trips whatever is stored."""

    def __init__(self, base: Base) -> None:
        self._base, self._redis, self._key = base, base.redis, base.key

    async def turn(self, name: str, ms: int) -> bool:
        """Take a turn that only one worker has within `ms`."""
        return bool(await self._redis.set(self._key("turn", name), "1", nx=True, px=ms))

    async def backlog(self, now: int) -> int:
        """How many jobs are due and not yet taken by a worker."""
        return int(await self._redis.zcount(self._base.queue, "-inf", now))

    async def timers(self, now: int) -> int:
        """Fire the timers that are due; their lanes are awake then."""
        return await RedisTimers(self._base).fire(now)

    async def runs(self, now: int) -> int:
        """Enqueue every run whose next attempt has come."""
        args: list[str | int] = [now, RUNS_AT_ONCE, now + CALM_MS]
        keys = [self._key("due"), self._key("brake"), self._key("braked")]
        due = await self._base.scripts("wake", keys, args)
        for run in due:
            await enqueue(self._redis, self._base.queue, self._base.execute_job(run))
        return len(due)

    async def lanes(self, now: int) -> int:
        """Enqueue a drain for every lane that has something to do and that nobody drains."""
        keys = [self._key("awake"), self._key("waking"), self._base.queue]
        head: list[str | int] = [now, JOB_TTL_MS, CALM_MS]
        lanes = await self._base.scripts("rouse", keys, head)
        if not lanes:
            return 0
        jobs = [(lane, self._base.drain_job(lane)) for lane in sorted(lanes)]
        words = [word for lane, job in jobs for word in (lane, job.id, job.payload)]
        return int(await self._base.scripts("rouse", keys, [*head, *words]))

    async def polls(self, intervals: Mapping[str, int], now: int) -> int:
        """Enqueue a poll of every mailbox that is due, was rung for, or has no cursor yet.

        `intervals` gives ms per mailbox, 0 for one that is polled only when its doorbell rings.
        """
        async with self._redis.pipeline(transaction=False) as pipe:
            for part in ("wanted", "heard", "polled", "paused"):
                pipe.hgetall(self._key(part))
            wanted, heard, polled, paused = await pipe.execute()
        rung = {box for box, rings in wanted.items() if rings != heard.get(box, "0")}
        timely = {box for box, interval in intervals.items() if _is_due(polled.get(box), interval, now)}
        due = [box for box in intervals if box in timely | rung and _until(paused.get(box)) <= now]
        calm = [mailbox for mailbox in due if await self.turn(f"poll:{mailbox}", CALM_MS)]
        for mailbox in calm:
            # A ring has a job of its own, which may be about to hear it.
            job = self._base.poll_job(mailbox) if mailbox in timely else self._base.hear_job(mailbox)
            await enqueue(self._redis, self._base.queue, job, at_ms=now - LEAD_MS)
        return len(calm)

    async def trim(self, now: int, retention: int) -> int:
        """Forget what is older than `retention` ms and settled; count runs."""
        return await trim(self._base, now, retention)

    async def leave_alone(self, lane: str, ms: int) -> None:
        """Wake a lane no sooner than that, unless something new comes."""
        await self._redis.set(self._key("woken", lane), "1", px=ms)

    async def later(self, function: str, name: str, at: int) -> None:
        """Enqueue poll, drain or execute of `name` for `at` (epoch ms)."""
        await enqueue(self._redis, self._base.queue, new_job(function, name), at_ms=at)


def _until(paused: str | None) -> int:
    return int(json.loads(paused)[0]) if paused else 0


def _is_due(polled: str | None, interval: int, now: int) -> bool:
    if polled is None:
        return True
    return interval > 0 and int(polled) + interval <= now
