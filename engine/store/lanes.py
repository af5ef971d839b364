"""Lanes in Redis: events in order, put aside, committed; label groups until they are settled."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import lru_cache

from engine import tracing
from engine.errors import LeaseLost
from engine.flow.plan import LabelGroup, Run
from engine.flow.stores import Commit, Lease, Queued, Tried
from engine.mail.events import Event
from engine.rules.memory import Kept
from engine.store.base import JOB_TTL_MS, Base, chunks
from engine.store.batch import Batch, dump
from engine.store.calls import decide_calls
from engine.store.judged import read_judged
from engine.store.leases import HeldLease, take_lease
from engine.store.memory import recall, remember
from engine.store.timers import set_timers

IDLE_MS = 3_600_000
READERS_MS = 30 * 86_400_000
"""How long a message is kept from being deleted by what other runs have to do with it."""


class RedisLanes:
    """The Lanes port on Redis."""

    def __init__(self, base: Base) -> None:
        self._base, self._redis, self._key = base, base.redis, base.key

    def lease(self, lane: str) -> AbstractAsyncContextManager[HeldLease | None]:
        return take_lease(self._base, self._key("lease", lane), acting=True)

    async def read(self, lane: str, count: int, now: int) -> list[Queued]:
        due = await self._redis.zrangebyscore(
            self._key("waiting-due", lane), "-inf", now, start=0, num=count, withscores=True
        )
        entries = [entry for entry, _ in due]
        put_aside = await self._redis.hmget(self._key("waiting", lane), entries) if entries else []
        waited = [
            _waiting(entry, text, now - int(at))
            for (entry, at), text in zip(due, put_aside, strict=True)
            if text
        ]
        fresh = await self._redis.xrange(self._key("events", lane), count=max(count - len(waited), 1))
        return waited + [_queued(entry, fields) for entry, fields in fresh]

    async def behind(self, lane: str, entry: str, count: int) -> list[Queued]:
        found = await self._redis.xrange(self._key("events", lane), min=f"({entry}", count=count)
        return [_queued(entry, fields) for entry, fields in found]

    async def judged(self, mailbox: str, keys: Sequence[str]) -> frozenset[str]:
        return frozenset(await read_judged(self._base, mailbox, keys))

    async def once(self, keys: Sequence[str]) -> dict[str, str]:
        if not keys:
            return {}
        taken = await self._redis.mget([self._key("once", key) for key in keys])
        return {key: value for key, value in zip(keys, taken, strict=True) if value is not None}

    async def recall(self, lane: str, keys: Sequence[str]) -> dict[str, Kept]:
        return await recall(self._base, lane, keys)

    async def recorded(self, runs: Sequence[str]) -> dict[str, Run | None]:
        found: dict[str, Run | None] = {}
        for chunk in chunks(runs):
            async with self._redis.pipeline(transaction=False) as pipe:
                for run in chunk:
                    pipe.hget(self._key("run", run), "run")
                texts = await pipe.execute()
            found |= {run: _planned(text) for run, text in zip(chunk, texts, strict=True)}
        return found

    async def offer(self, lane: str, events: Sequence[Event], now: int) -> tuple[str, str]:
        job = self._base.drain_job(lane)
        keys = [self._key("events", lane), self._key("awake"), self._base.queue]
        head: list[str | int] = [lane, now, job.id, job.payload, JOB_TTL_MS, tracing.current()]
        first, last = await self._base.scripts("offer", keys, [*head, *(event.to_json() for event in events)])
        return first, last

    async def taken_up(self, lane: str, first: str, last: str) -> bool:
        return not await self._redis.xrange(self._key("events", lane), first, last, count=1)

    async def footsteps(self, mailbox: str, steps: Sequence[str]) -> dict[str, int]:
        if not steps:
            return {}
        known = await self._redis.hmget(self._key("footsteps", mailbox), list(steps))
        return {step: int(value) for step, value in zip(steps, known, strict=True) if value is not None}

    async def commit(self, lane: str, lease: Lease, commit: Commit, now: int) -> None:
        batch = Batch(self._base, now)
        batch.add("DECIDE")
        # The events go last: should Redis ever keep the beginning of this alone, they are decided again.
        if commit.runs:
            batch.add("ZADD", self._key("blobs"), now, commit.digest)
        waiting_for_labels = frozenset(key for group in commit.groups for key in group.keys)
        for run in commit.runs:
            _record(batch, run, waiting_for_labels)
            if run.id in commit.doubtful:
                batch.add("HSET", self._key("run", run.id), "doubt", "1")
        for group in commit.groups:
            batch.add("RPUSH", self._key("groups", lane), dump_group(group))
        for key, window in commit.once.items():
            batch.add("SET", self._key("once", key), now, "PX", window)
        batch.set_fields(self._key("footsteps", lane), dict.fromkeys(commit.footsteps, 0))
        judged = {one.key: dump([now, commit.digest, one.rules]) for one in commit.judged}
        batch.set_fields(self._key("judged", lane), judged)
        remember(batch, self._base, lane, commit.memory)
        set_timers(batch, commit.timers)
        for event in commit.following:
            words = ("event", event.to_json(), "read", 0, "trace", "")
            batch.add("XADD", self._key("events", lane), "*", *words)
        self._put_aside(batch, lane, commit.waiting)
        decide_calls(batch, commit)
        self._acknowledge(batch, lane, commit.done)
        batch.add_many("HDEL", self._key("footsteps", lane), commit.heard)
        await batch.carry_out(lane, lease)

    async def groups(self, lane: str) -> list[LabelGroup]:
        texts = await self._redis.lrange(self._key("groups", lane), 0, -1)
        return list(map(_group, texts))

    async def settle_groups(self, lane: str, lease: Lease, tried: Sequence[Tried], now: int) -> None:
        batch, key = Batch(self._base, now), self._key("groups", lane)
        for one in tried:
            for settled in one.settled:
                batch.settle(settled)
            for run in one.opened:
                batch.open_run(run)
            batch.set_fields(self._key("footsteps", lane), dict.fromkeys(one.footsteps, now))
            old = dump_group(one.group)
            for new in one.instead:
                batch.add("LINSERT", key, "BEFORE", old, dump_group(new))
            batch.add("LREM", key, 1, old)
        await batch.carry_out(lane, lease)

    async def rest(self, lane: str, lease: Lease, now: int, again: int | None = None) -> bool:
        parts = ("lease", "events", "groups")
        keys = [
            *(self._key(part, lane) for part in parts),
            self._key("awake"),
            self._key("waiting-due", lane),
            self._key("waking"),
        ]
        rested = await self._base.scripts("rest", keys, [lease.token, lane, now, again or ""])
        if rested == -1:
            raise LeaseLost(f"lane {lane} was taken over by another worker")
        return bool(rested)

    async def sleep_until(self, lane: str, lease: Lease, until: int, now: int) -> None:
        await self._redis.set(self._key("woken", lane), lease.token, px=max(until - now, 1))

    def _acknowledge(self, batch: Batch, lane: str, done: Iterable[Queued]) -> None:
        waited = [queued.entry for queued in done if queued.since]
        batch.add_many("XDEL", self._key("events", lane), [one.entry for one in done if not one.since])
        batch.add_many("HDEL", self._key("waiting", lane), waited)
        batch.add_many("ZREM", self._key("waiting-due", lane), waited)

    def _put_aside(self, batch: Batch, lane: str, waiting: Iterable[tuple[Queued, int]]) -> None:
        for queued, again in waiting:
            text = dump([queued.event.to_json(), queued.read, queued.since, queued.trace])
            batch.add("HSET", self._key("waiting", lane), queued.entry, text)
            batch.add("ZADD", self._key("waiting-due", lane), again, queued.entry)
            batch.add("XDEL", self._key("events", lane), queued.entry)


def _planned(text: str | None) -> Run | None:
    """Read a run; one that another version wrote is none that this one could repeat."""
    try:
        return Run.model_validate_json(text) if text else None
    except ValueError:
        return None


def dump_group(group: LabelGroup) -> str:
    """The text that the list holds, sign for sign: by it the group is found again, an older version's too."""
    return group.model_dump_json(exclude_unset=True)


@lru_cache(maxsize=64)
def _group(text: str) -> LabelGroup:
    """Read a label group; each is read several times before it is carried out."""
    return LabelGroup.model_validate_json(text)


def _queued(entry: str, fields: Mapping[str, str]) -> Queued:
    event = Event.from_json(fields["event"])
    return Queued(entry, event, int(fields["read"]), trace=fields.get("trace", ""))


def _waiting(entry: str, text: str, late: int) -> Queued:
    """An event put aside. When nobody looked for long, since all stood still, that is no part of its wait."""
    event, read, since, *trace = json.loads(text)
    return Queued(entry, Event.from_json(event), read, since + (late if late > IDLE_MS else 0), *trace)


def _record(batch: Batch, run: Run, waiting_for_labels: frozenset[str]) -> None:
    """Record a run with the receipts it has from the start; open it unless it waits for labels."""
    receipts: dict[int, Mapping[str, str]] = {
        step: {"outcome": "held", "why": why} for step, why in run.held.items()
    }
    if run.shadow:
        receipts = {step: {"outcome": "shadow"} for step in range(len(run.steps))}
    elif run.key not in waiting_for_labels:
        receipts |= {step: {"outcome": "unchanged"} for step in range(run.grouped)}
    if run.undecided:
        batch.record(run, "dead", {})
    elif len(receipts) == len(run.steps):
        batch.record(run, "done", receipts)
    else:
        batch.record(run, "planned", receipts)
        if run.key and run.grouped < len(run.steps):
            readers = batch.key("readers", run.mailbox, run.key)
            batch.add("SADD", readers, run.id)
            batch.add("PEXPIRE", readers, READERS_MS)
        if run.key not in waiting_for_labels:
            batch.open_run(run.id)
