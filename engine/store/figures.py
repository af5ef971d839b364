"""Figures of all processes in Redis: each adds what it counted, in one round trip, and says that it lives."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from secrets import token_hex

from engine.metrics import COUNTERS, Pending
from engine.store.base import Base

HOUR_MS = 3_600_000
HOURS_KEPT_S = 26 * 3_600
SILENT_AFTER_MS = 30_000
"""A process says every five seconds that it lives."""
GONE_AFTER_MS = 7 * 86_400_000
"""What was not seen for so long is no longer named among the processes."""

Series = tuple[str, ...]
"""A counter's name and its labels' values."""

_HOURLY = frozenset(counter.name for counter in COUNTERS if counter.hourly)


@dataclass(frozen=True, slots=True)
class Process:
    """One process of ours as it last described itself; times in epoch ms."""

    id: str
    kind: str
    """`web` or `worker`."""
    host: str
    pid: int
    version: str
    started: int
    seen: int
    rules: str = ""
    """The digest in force there; a web process has none."""
    refused: str = ""
    """Why the rules on its disk are not in force."""

    def lives(self, now: int) -> bool:
        return now - self.seen < SILENT_AFTER_MS


class Figures:
    """What was counted, by everybody, and who is there."""

    def __init__(self, base: Base) -> None:
        self._base, self._redis, self._key = base, base.redis, base.key

    async def add(
        self, pending: Pending, process: Process | None, now: int, batch: tuple[str, int] = ("", 0)
    ) -> None:
        """Write down what one process counted; `process` says that it lives.

        `batch` names who counted and which time it is: the same one is added once, however often it is sent.
        """
        writer, number = batch
        commands = list(self._commands(pending, process, now))
        words = [word for command in commands for word in (len(command), *command)]
        await self._base.scripts("once", [self._key("counted", writer)], [number or token_hex(8), *words])

    def _commands(self, pending: Pending, process: Process | None, now: int) -> Iterator[list[str | int]]:
        hour = self._key("hour", str(now // HOUR_MS))
        for series, by in pending.counts.items():
            yield ["HINCRBY", self._key("metrics"), json.dumps(series), by]
            if series[0] in _HOURLY:
                yield ["HINCRBY", hour, json.dumps(series), by]
        if any(series[0] in _HOURLY for series in pending.counts):
            yield ["EXPIRE", hour, HOURS_KEPT_S]
        for (what, whom), at in pending.marks.items():
            yield ["HSET", self._key("marks"), f"{what} {whom}", at]
        if process:
            yield ["HSET", self._key("processes"), process.id, json.dumps(asdict(process))]

    async def leave(self, process: str) -> None:
        """A process has ended in good order."""
        await self._redis.hdel(self._key("processes"), process)

    async def totals(self) -> dict[Series, int]:
        """Every counter since the beginning."""
        return _series(await self._redis.hgetall(self._key("metrics")))

    async def of_last_day(self, now: int) -> dict[Series, int]:
        """What was counted by the hour, over the last 24 and the present one."""
        this = now // HOUR_MS
        async with self._redis.pipeline(transaction=False) as pipe:
            for hour in range(this - 24, this + 1):
                pipe.hgetall(self._key("hour", str(hour)))
            hours = await pipe.execute()
        total: dict[Series, int] = {}
        for counted in hours:
            for series, by in _series(counted).items():
                total[series] = total.get(series, 0) + by
        return total

    async def marks(self) -> dict[tuple[str, str], int]:
        """When what happened last, and to whom."""
        known = await self._redis.hgetall(self._key("marks"))
        return {
            (what, whom): int(at) for name, at in known.items() for what, _, whom in [name.partition(" ")]
        }

    async def processes(self, now: int) -> list[Process]:
        """Who said so within a week; those that have been gone for longer are forgotten."""
        known = await self._redis.hgetall(self._key("processes"))
        found = [_process(text) for text in known.values()]
        gone = [process.id for process in found if now - process.seen > GONE_AFTER_MS]
        if gone:
            await self._redis.hdel(self._key("processes"), *gone)
        kept = (process for process in found if process.id not in gone)
        return sorted(kept, key=lambda process: (process.kind, process.host, process.pid))


def _process(text: str) -> Process:
    """Read what a process of this or another version said of itself."""
    said = json.loads(text)
    return Process(**{name: said[name] for name in Process.__dataclass_fields__ if name in said})


def _series(known: Mapping[str, str]) -> dict[Series, int]:
    return {tuple(json.loads(name)): int(by) for name, by in known.items()}
