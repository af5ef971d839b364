"""arq's own job format (arq 0.28), so that our scripts can enqueue in the step that makes the work."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

from arq.connections import ArqRedis
from arq.constants import expires_extra_ms, job_key_prefix
from arq.jobs import Job as ArqJob
from arq.jobs import serialize_job
from arq.utils import timestamp_ms
from redis.asyncio import Redis

from engine.store.connection import pool

JOB_TTL_MS = expires_extra_ms
"""How long after its time a job may still be started."""
LEAD_MS = 10_000
"""How far ahead in the queue stand ticks and the jobs of lanes, which are few, and a batch's first runs.

Else a small mailbox's single message would wait for hundreds of runs of a huge one. arq takes jobs by their
score, so that whoever is scored back in time goes before others, and nobody waits for ever.
"""
STEP_MS = 50
"""How much less far each further run of a batch stands ahead."""

ENQUEUE_LUA = f"""
local function enqueue(queue, id, payload, now_ms, ttl_ms)
  if id == '' then return end
  redis.call('PSETEX', '{job_key_prefix}' .. id, ttl_ms, payload)
  redis.call('ZADD', queue, now_ms, id)
end
local function enqueue_ahead(queue, id, payload, now_ms, ttl_ms)
  enqueue(queue, id, payload, now_ms - {LEAD_MS}, ttl_ms)
end
"""
"""Functions for the head of a script; `now_ms` is when the job is due, `queue` a declared key.

NO_JOB is not enqueued: whoever runs the script begins it.
"""


_OURS, _NUMBERS = uuid4().hex, count(1)
"""Ids of this process; a random number for each would be a call of the kernel for each."""


@dataclass(frozen=True, slots=True)
class Job:
    """One job, ready to be enqueued."""

    id: str
    payload: str


NO_JOB = Job("", "")


def new_job(function: str, *args: str | int) -> Job:
    """Make a job under an id of its own: arq drops a job whose id it is running."""
    payload = serialize_job(function, args, {}, None, timestamp_ms(), serializer=dumps)
    return Job(f"{_OURS}-{next(_NUMBERS)}", payload.decode())


def run_score(now_ms: int, place: int) -> int:
    """Where in the queue a run stands that a batch opens in this place, counted from 0."""
    return now_ms - max(LEAD_MS - place * STEP_MS, 0)


def queue_name(prefix: str) -> str:
    """Name the sorted set that the workers of this prefix poll."""
    return f"{prefix}:queue"


def dumps(data: dict[str, Any]) -> bytes:
    """Serialise a job for arq, or what became of one."""
    return _ENCODER.encode(data).encode()


def _name_of_error(value: object) -> str:
    if isinstance(value, Exception):
        return type(value).__name__
    raise TypeError(f"a job cannot carry a {type(value).__name__}")


_ENCODER = json.JSONEncoder(separators=(",", ":"), default=_name_of_error)


def loads(data: bytes) -> dict[str, Any]:
    """Read a job for arq."""
    job: dict[str, Any] = json.loads(data)
    return job


async def enqueue(redis: Redis, queue: str, job: Job, at_ms: int | None = None) -> None:
    """Enqueue one job, due at once or at `at_ms` (epoch milliseconds)."""
    now = timestamp_ms()
    due = now if at_ms is None else at_ms
    async with redis.pipeline(transaction=True) as pipe:
        pipe.psetex(job_key_prefix + job.id, max(due - now, 0) + JOB_TTL_MS, job.payload)
        pipe.zadd(queue, {job.id: due})
        await pipe.execute()


def arq_client(url: str, prefix: str) -> ArqRedis:
    """Make the client that arq's worker needs: undecoded, with our serialiser and queue."""
    client = _ArqRedis(
        pool(url), job_serializer=dumps, job_deserializer=loads, default_queue_name=queue_name(prefix)
    )
    client.auto_close_connection_pool = True
    return client


class _ArqRedis(ArqRedis):
    async def enqueue_job(
        self, function: str, *args: Any, _defer_until: datetime | None = None, **options: Any
    ) -> ArqJob | None:
        # Only arq's worker enqueues by it, and ticks alone: one that comes a moment early is as good.
        ahead = (_defer_until or datetime.now(UTC)) - timedelta(milliseconds=LEAD_MS)
        return await super().enqueue_job(function, *args, _defer_until=ahead, **options)

    async def close(self, close_connection_pool: bool | None = None) -> None:
        # arq's worker still closes by the name that redis-py has deprecated.
        await self.aclose(close_connection_pool)
