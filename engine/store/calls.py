"""Calls from other systems in Redis: taken once, told of until they are forgotten, their content erased."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.flow.asked import payload_of
from engine.flow.calls import Call, CallState, Taken, call_id, is_call
from engine.flow.content import Content, read_files, write_files
from engine.flow.plan import Run
from engine.flow.stores import Commit
from engine.store.base import JOB_TTL_MS, Base
from engine.store.batch import Batch
from engine.store.layout import read_salt

DAY_MS = 86_400_000
KEYS_MS = 7 * DAY_MS
"""An idempotency key is known for at least as long."""
CONTENT_MS = 8 * DAY_MS
"""Longer than any step is tried, from the time on at which it is to begin."""


class RedisCalls:
    """Takes calls, and tells what became of them."""

    def __init__(self, base: Base, retention: int) -> None:
        """`retention` in ms: a key is known for longer than the runs that it set off."""
        self._base, self._redis, self._key = base, base.redis, base.key
        self._keep = max(KEYS_MS, retention) + DAY_MS
        self._salt = ""

    async def salt(self) -> str:
        """Give the secret from which ids of calls follow: the same for every process, for ever."""
        if not self._salt:
            self._salt = await read_salt(self._base)
        return self._salt

    async def take(self, calls: Sequence[Call], now: int) -> list[Taken]:
        """Write calls down, all in one step; each once, however often it comes or is sent again."""
        keys = [self._key("awake"), self._base.queue]
        words: list[str | int] = [now, JOB_TTL_MS]
        for call in calls:
            job = self._base.drain_job(call.lane)
            words += [call.lane, call.id, call.digest, call.within, self._keep, call.event.to_json()]
            words += [call.trace, write_files(call.files), CONTENT_MS, job.id, job.payload]
        answers = await self._base.scripts("call", keys, words)
        pairs = zip(calls, answers[::2], answers[1::2], strict=True)
        return [_taken(call, found, known) for call, found, known in pairs]

    async def state(self, call: str) -> CallState | None:
        """How far a call is; None for one that nobody knows."""
        fields = await self._redis.hgetall(self._key("call", call))
        if not fields:
            return None
        runs = tuple(run for run in fields.get("runs", "").split(",") if run)
        return CallState(fields["lane"], "runs" in fields, runs)


def _taken(call: Call, found: str, known: str) -> Taken:
    return Taken(found, repeated=bool(known), differs=call.strict and bool(known) and known != call.digest)


def decide_calls(batch: Batch, commit: Commit) -> None:
    """Note what each call came to, and keep what events bring along for runs with steps to carry out."""
    runs: dict[str, list[Run]] = {}
    for event in (queued.event for queued in commit.done):
        if not event.payload:
            continue
        if not runs:
            for run in commit.runs:
                runs.setdefault(run.event, []).append(run)
        own, call = runs.get(event.id, []), call_id(event) if is_call(event) else ""
        for run in own:
            if len(run.held) < len(run.steps):
                waits = max(step.after for step in run.steps) * 1000
                batch.add("KEEP", run.id, call, payload_of(event), CONTENT_MS + waits)
        if call:
            batch.add("CALL", call, ",".join(run.id for run in own))


def read_content(fields: Mapping[str, str]) -> Content | None:
    """Read what is kept for a run."""
    return Content(fields["payload"], read_files(fields.get("files", ""))) if fields else None
