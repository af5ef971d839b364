"""Timers that are pending: what one takes of Redis' memory, and what a tick costs however many there are."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from arq.constants import job_key_prefix
from arq.jobs import serialize_job

from bench.figure import Figure, Section
from bench.mail import Mail
from engine.flow.timers import Timer
from engine.mail.events import UNANSWERED, Event, EventKind
from engine.store.base import Base, chunks
from engine.store.connection import connect
from engine.store.embedded import embedded
from engine.store.timers import RedisTimers

FEW, MANY, DUE, ROUNDS = 1_000, 1_000_000, 200, 15
NOW, LATER = 1_767_225_600_000, 1_800_000_000_000
KIND, BOX = EventKind(f"{UNANSWERED}172800"), "support@ours.example"
AGAINST = "arq's deferred jobs"


@dataclass
class Costs:
    """What one way to keep timers came to."""

    bytes_each: float = 0.0
    ticks: dict[tuple[int, int], float] = field(default_factory=dict)
    """Milliseconds of a tick, by how many are pending and how many of them due."""


Fill = Callable[[Any, int, int, int], Awaitable[None]]
"""Set so many timers from a number on, due at a time."""
Tick = Callable[[Any], Awaitable[int]]


async def measure(mail: Mail, folder: Path, few: int = FEW, many: int = MANY) -> Section:
    """Fill a Redis with timers for messages, then with as many of arq's jobs, and tick."""
    ours = await _costs(folder / "ours", _set, _fire, few, many)
    peer = await _costs(folder / "arq", _defer, _poll, few, many)
    each = Figure(f"a timer of {many:,}", ours.bytes_each, peer.bytes_each, "bytes", AGAINST)
    ticks = [
        Figure(f"a tick, {pending:,} pending, {due} due", took, peer.ticks[pending, due], "ms", AGAINST)
        for (pending, due), took in ours.ticks.items()
    ]
    return Section(
        "Timers that are pending",
        (each, *ticks),
        ("the peer's tick reads the queue, then deletes the jobs that are due: two round trips",),
    )


async def _costs(folder: Path, fill: Fill, tick: Tick, few: int, many: int) -> Costs:
    costs = Costs()
    async with embedded(folder) as url:
        redis = connect(url)
        await tick(redis)
        empty = (await redis.info("memory"))["used_memory"]
        for pending, start in ((few, 0), (many, few)):
            await fill(redis, start, pending - start, LATER)
            if pending == many:
                costs.bytes_each = ((await redis.info("memory"))["used_memory"] - empty) / many
            for due in (0, DUE):
                costs.ticks[pending, due] = await _tick(redis, fill, tick, due)
        await redis.aclose()
    return costs


async def _tick(redis: Any, fill: Fill, tick: Tick, due: int) -> float:
    took = []
    for _ in range(ROUNDS):
        await fill(redis, 2 * MANY, due, NOW - 1)
        began = time.perf_counter()
        fired = await tick(redis)
        took.append((time.perf_counter() - began) * 1000)
        if fired != due:
            raise AssertionError(f"{fired} fired, and {due} were due")
        await redis.delete(Base(redis).key("events", BOX))
    return median(took)


def _numbers(start: int, count: int) -> Iterator[list[int]]:
    yield from chunks(range(start, start + count))


async def _set(redis: Any, start: int, count: int, due: int) -> None:
    for some in _numbers(start, count):
        await RedisTimers(Base(redis)).set([Timer(due, BOX, Event(KIND, BOX, 0, _key(n))) for n in some])


async def _fire(redis: Any) -> int:
    return await RedisTimers(Base(redis)).fire(NOW)


def _key(number: int) -> str:
    return f"{number:016x}_{number:016x}_001"


async def _defer(redis: Any, start: int, count: int, due: int) -> None:
    for some in _numbers(start, count):
        async with redis.pipeline(transaction=True) as pipe:
            for number in some:
                job = f"{number:032x}"
                pipe.psetex(
                    job_key_prefix + job, 10**10, serialize_job("unanswered", (BOX, _key(number)), {}, 1, NOW)
                )
                pipe.zadd("arq:queue", {job: due})
            await pipe.execute()


async def _poll(redis: Any) -> int:
    due = await redis.zrangebyscore("arq:queue", "-inf", NOW, start=0, num=1_000)
    if due:
        async with redis.pipeline(transaction=True) as pipe:
            pipe.exists(*(job_key_prefix + job for job in due))
            pipe.delete(*(job_key_prefix + job for job in due))
            pipe.zrem("arq:queue", *due)
            await pipe.execute()
    return len(due)
