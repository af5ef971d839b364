"""A batch of commands under a lease, as words for the fenced script."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence

from engine.errors import LeaseLost
from engine.flow.plan import Run
from engine.flow.stores import Lease, Settled
from engine.store.base import JOB_TTL_MS, Base, chunks
from engine.store.jobs import NO_JOB, run_score

OPEN_NET_MS = 5_000
"""After this the tick looks after a run that was opened and that nobody claimed."""
HERE_NET_MS = 2_000
"""The same for a run that this process claims at once, unless it ends."""


class Batch:
    """Commands gathered one by one and carried out whole."""

    def __init__(self, base: Base, now: int) -> None:
        self._base, self._now = base, now
        self._words: list[str | int] = []
        self._reserved = 0
        """How many runs this process may carry out itself."""
        self._queued = 0
        """How many runs go over the queue."""

    def key(self, *parts: str) -> str:
        return self._base.key(*parts)

    def add(self, *words: str | int) -> None:
        self._words += [len(words), *words]

    def add_many(self, command: str, key: str, values: Sequence[str | int]) -> None:
        """Add one command over many values, in chunks."""
        for chunk in chunks(values):
            self.add(command, key, *chunk)

    def set_fields(self, key: str, fields: Mapping[str, str | int]) -> None:
        self.add_many("HSET", key, [word for pair in fields.items() for word in pair])

    def open_run(self, run: str) -> None:
        here = self._base.shortcut.reserve()
        self._reserved += here
        job = NO_JOB if here else self._base.execute_job(run)
        net = self._now + (HERE_NET_MS if here else OPEN_NET_MS)
        score = run_score(self._now, self._queued)
        self._queued += not here
        self.add("OPEN", run, self._base.queue, job.id, job.payload, score, JOB_TTL_MS, net)

    def settle(self, settled: Settled) -> None:
        failed = "1" if settled.failed else "0"
        self.add("SETTLE", settled.run, settled.step, dump(settled.receipt), failed, self._now)

    def record(self, run: Run, state: str, receipts: Mapping[int, Mapping[str, str]]) -> None:
        words = [word for step, receipt in receipts.items() for word in (step, dump(receipt))]
        left = len(run.steps) - len(receipts)
        head = ("RUN", run.id, state, left, run.model_dump_json(), run.mailbox, run.rule, self._now)
        self.add(*head, *words)

    async def carry_out(self, lane: str, lease: Lease) -> None:
        """Carry it out. Raises LeaseLost and then has changed nothing."""
        keys = [self._base.key("lease", lane), self._base.key("committed", lane)]
        words = [lease.token, secrets.token_hex(8), *self._words]
        try:
            async with lease.turn:
                opened = await self._base.scripts("fenced", keys, words)
        finally:
            self._base.shortcut.give_back(self._reserved)
        if opened == -1:
            raise LeaseLost(f"lane {lane} was taken over by another worker")
        for run in opened:
            self._base.shortcut.begin(run)


dump = json.JSONEncoder(separators=(",", ":")).encode
"""Made once: `json.dumps` makes an encoder for each value."""
