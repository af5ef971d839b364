"""What undoing reads of the journal, and writes into it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from engine.flow.plan import Run
from engine.flow.recorded import Recorded, Undone
from engine.flow.stores import Lease
from engine.store.base import Base, chunks
from engine.store.batch import Batch, dump
from engine.store.journal import RedisJournal
from engine.store.leases import HeldLease, take_lease

NOWHERE = ("", "")


class RedisUndoings:
    """The Undoings port on Redis."""

    def __init__(self, base: Base) -> None:
        self._base, self._redis, self._key = base, base.redis, base.key
        self._journal = RedisJournal(base)
        self._reach: dict[str, tuple[str, str]] = {}
        """Of runs that were read before, what they label: they are many, and plans do not change."""

    def lease(self, lane: str) -> AbstractAsyncContextManager[HeldLease | None]:
        return take_lease(self._base, self._key("lease", lane), acting=True)

    async def get(self, run: str) -> Recorded | None:
        return await self._journal.get(run)

    async def touching(
        self, mailbox: str, keys: Iterable[str], threads: Iterable[str], since: int
    ) -> list[Recorded]:
        wanted, whole = frozenset(keys), frozenset(threads)
        recent = await self._redis.zrangebyscore(self._key("runs:mailbox", mailbox), since, "+inf")
        ids = dict.fromkeys([*recent, *await self._readers(mailbox, wanted)])
        self._reach |= dict.fromkeys(new := [run for run in ids if run not in self._reach], NOWHERE)
        async for run, plan in self._plans(new):
            self._reach[run] = _reach(plan)
        reached = ((run, *self._reach[run]) for run in ids)
        return await self._journal.get_all(
            [run for run, key, thread in reached if key in wanted or thread in whole]
        )

    async def _readers(self, mailbox: str, keys: Iterable[str]) -> set[str]:
        """Give runs that do more to messages than their batch did: they may have waited for long."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for key in keys:
                pipe.smembers(self._key("readers", mailbox, key))
            return set[str]().union(*await pipe.execute())

    async def saving(self, undone: Collection[str], since: int) -> set[tuple[str, str]]:
        def saves(run: Mapping[str, Any]) -> bool:
            return run["id"] not in undone and any(step["kind"] == "file" for step in run["steps"])

        found = await self._among(self._key("runs"), since, saves)
        receipts = (receipt for one in found if not one.undone for receipt in one.receipts.values())
        saved = (receipt for receipt in receipts if "paths" in receipt)
        return {(one["folder"], path) for one in saved for path in json.loads(one["paths"])}

    async def since(self, since: int, *, rule: str, mailbox: str = "") -> list[Recorded]:
        """Give a rule's runs since then, in one mailbox or in all."""

        def fits(run: Mapping[str, Any]) -> bool:
            return mailbox in ("", run["mailbox"])

        return await self._among(self._key("runs:rule", rule), since, fits)

    async def beside(self, events: Collection[str], mailboxes: Iterable[str], since: int) -> list[Run]:
        """Give the runs of live rules that some events set off."""

        def fits(run: Mapping[str, Any]) -> bool:
            return run["event"] in events and not run.get("shadow") and not run["undecided"]

        found = [await self._among(self._key("runs:mailbox", one), since, fits) for one in mailboxes]
        return [each.run for one in found for each in one]

    async def tread(self, lane: str, lease: Lease, steps: Sequence[str], answered: int, now: int) -> None:
        batch = Batch(self._base, now)
        batch.set_fields(self._key("footsteps", lane), dict.fromkeys(steps, answered))
        await batch.carry_out(lane, lease)

    async def give_up(
        self,
        lane: str,
        lease: Lease,
        waiting: Mapping[str, Mapping[int, Mapping[str, str]]],
        now: int,
    ) -> None:
        batch = Batch(self._base, now)
        for run, receipts in waiting.items():
            for step, receipt in receipts.items():
                batch.add("GIVEUP", run, dump(receipt), now, step)
        await batch.carry_out(lane, lease)

    async def mark(self, lane: str, lease: Lease, undone: Mapping[str, Undone], now: int) -> None:
        batch = Batch(self._base, now)
        for run, one in undone.items():
            batch.add("UNDONE", run, dump({"at": one.at, "by": one.by, "left": one.left}), now)
        await batch.carry_out(lane, lease)

    async def _among(
        self, index: str, since: int, fits: Callable[[Mapping[str, Any]], bool]
    ) -> list[Recorded]:
        """Give those of an index's runs since then that fit; only they are read whole."""
        ids = await self._redis.zrangebyscore(index, since, "+inf")
        return await self._journal.get_all([run async for run, plan in self._plans(ids) if fits(plan)])

    async def _plans(self, runs: Sequence[str]) -> AsyncIterator[tuple[str, Mapping[str, Any]]]:
        for chunk in chunks(runs):
            async with self._redis.pipeline(transaction=False) as pipe:
                for run in chunk:
                    pipe.hget(self._key("run", run), "run")
                texts = await pipe.execute()
            for run, text in zip(chunk, texts, strict=True):
                if text:
                    yield run, json.loads(text)


def _reach(plan: Mapping[str, Any]) -> tuple[str, str]:
    """Say which message a run labels, and which whole thread."""
    steps = [step for step in plan["steps"] if step["kind"] == "labels"]
    of_thread = any(step.get("scope") == "thread" for step in steps)
    return (plan["key"], plan.get("thread", "") if of_thread else "") if steps else NOWHERE
