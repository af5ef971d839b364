"""Mailboxes in Redis: cursors, doorbells, whose addresses are ours, and who is paused."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager

from engine import metrics, tracing
from engine.flow.mailboxes import Cursor, Outset
from engine.flow.plan import Run
from engine.flow.ports import Profile
from engine.flow.sift import RECEPTIONS
from engine.mail.events import Event, is_mailbox
from engine.store.base import JOB_TTL_MS, Base
from engine.store.judged import read_judged
from engine.store.leases import HeldLease, take_lease
from engine.store.profiles import read_profile, write_profile

UNKNOWN_KEPT = 10_000
CURSOR = ("cursor", "polled", "started", "doubt", "doubted")


class RedisMailboxes:
    """The Mailboxes port on Redis."""

    def __init__(self, base: Base) -> None:
        self._base, self._redis, self._key = base, base.redis, base.key

    def lease(self, mailbox: str) -> AbstractAsyncContextManager[HeldLease | None]:
        return take_lease(self._base, self._key("polling", mailbox))

    async def cursor(self, mailbox: str) -> Cursor | None:
        if not is_mailbox(mailbox):
            until = int(await self._redis.hget(self._key("doubt"), mailbox) or 0)
            return Cursor(0, 0, 0, until, until)
        return _cursor(*await self._of(mailbox, *CURSOR))

    async def outset(self, mailbox: str) -> Outset:
        wanted, heard, rung, profile, *cursor = await self._of(
            mailbox, "wanted", "heard", "rung", "profiles", *CURSOR
        )
        unheard, known = wanted != heard, read_profile(profile) if profile else None
        trace = (rung or "").partition(" ")[2] if unheard else ""
        return Outset(int(wanted or 0), _cursor(*cursor), known, trace, unheard)

    async def start(self, mailbox: str, history: int, now: int) -> None:
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hsetnx(self._key("started"), mailbox, str(now))
            pipe.hsetnx(self._key("origin"), mailbox, str(history))
            pipe.hsetnx(self._key("cursor"), mailbox, str(history))
            await pipe.execute()

    async def leave_to_a_person(self, run: Run, now: int) -> None:
        await self._base.scripts("leave", [], [run.id, run.model_dump_json(), run.mailbox, run.rule, now])

    async def append(self, mailbox: str, old: int, new: int, events: Sequence[Event], now: int) -> bool:
        job = self._base.drain_job(mailbox)
        read = await self._redis.hget(self._key("polled"), mailbox) or "0"
        keys = [self._key("cursor"), self._key("events", mailbox), self._key("awake"), self._base.queue]
        keys += [self._key("moved"), self._key("arrived"), self._key("habit", mailbox)]
        keys += [self._key("rung"), self._key("unrung")]
        arrivals = sum(event.kind in RECEPTIONS for event in events)
        head = [mailbox, str(old), str(new), mailbox, read, now, job.id, job.payload, JOB_TTL_MS]
        head += [tracing.current(), arrivals]
        if not await self._base.scripts("append", keys, [*head, *(event.to_json() for event in events)]):
            return False
        metrics.EVENTS.each((event.kind for event in events), mailbox)
        return True

    async def ring(self, mailboxes: Sequence[str], now: int, traces: Mapping[str, str] | None = None) -> None:
        """Raise doorbells, all in one round trip; a mailbox whose bell was down is polled.

        The newest ring's cause, from `traces`, is what the poll goes on from.
        """
        args: list[str | int] = [now, JOB_TTL_MS]
        for mailbox in mailboxes:
            job = self._base.poll_job(mailbox)
            args += [mailbox, job.id, job.payload, (traces or {}).get(mailbox, "")]
        keys = [self._key("wanted"), self._key("heard"), self._base.queue, self._key("rung")]
        await self._base.scripts("ring", keys, args)

    async def polled(self, mailbox: str, wanted: int, began: int) -> bool:
        keys = [self._key("wanted"), self._key("heard"), self._key("polled")]
        return bool(await self._base.scripts("polled", keys, [mailbox, wanted, began]))

    async def keep_unknown(self, mailbox: str, records: Sequence[str]) -> None:
        async with self._redis.pipeline(transaction=False) as pipe:
            for record in records:
                entry = {"mailbox": mailbox, "record": record}
                pipe.xadd(self._key("unknown"), entry, maxlen=UNKNOWN_KEPT, approximate=True)
            pipe.hincrby(self._key("counts"), f"unknown:{mailbox}", len(records))
            await pipe.execute()

    async def know(self, mailbox: str, profile: Profile) -> None:
        await self._redis.hset(self._key("profiles"), mailbox, write_profile(profile))

    async def tread(self, mailbox: str, steps: Sequence[str], answered: int) -> None:
        await self._redis.hset(self._key("footsteps", mailbox), mapping=dict.fromkeys(steps, answered))

    async def profiles(self) -> dict[str, Profile]:
        known = await self._redis.hgetall(self._key("profiles"))
        return {mailbox: read_profile(text) for mailbox, text in known.items()}

    async def pause(self, mailbox: str, why: str, until: int, now: int) -> None:
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(self._key("paused"), mailbox, json.dumps([until, why]))
            pipe.hsetnx(self._key("paused-since"), mailbox, str(now))
            await pipe.execute()

    async def resume(self, mailbox: str) -> None:
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hdel(self._key("paused"), mailbox)
            pipe.hdel(self._key("paused-since"), mailbox)
            await pipe.execute()

    async def paused(self) -> dict[str, tuple[int, str]]:
        """By mailbox, until when and why it is paused."""
        known = await self._redis.hgetall(self._key("paused"))
        return {mailbox: _paused(text) for mailbox, text in known.items()}

    async def judged_among(self, mailbox: str, keys: Sequence[str]) -> frozenset[str]:
        return frozenset(await read_judged(self._base, mailbox, keys))

    async def _of(self, mailbox: str, *parts: str) -> list[str | None]:
        """The mailbox's fields of several hashes, in one round trip."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for part in parts:
                pipe.hget(self._key(part), mailbox)
            return list(await pipe.execute())


def _cursor(history: str | None, *rest: str | None) -> Cursor | None:
    return None if history is None else Cursor(int(history), *(int(number or 0) for number in rest))


def _paused(text: str) -> tuple[int, str]:
    until, why = json.loads(text)
    return until, why
