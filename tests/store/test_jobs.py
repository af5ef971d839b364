"""Our enqueueing, held against arq's own worker."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from arq.constants import job_key_prefix
from arq.worker import Function, JobExecutionFailed, Worker, func
from redis.asyncio import Redis

from engine.store.jobs import (
    ENQUEUE_LUA,
    JOB_TTL_MS,
    Job,
    arq_client,
    dumps,
    enqueue,
    loads,
    new_job,
    queue_name,
)
from tests.waiting import wait_for

QUEUE = queue_name("test")
ENQUEUE = ENQUEUE_LUA + "enqueue(KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4]) return 1"


class Work:
    """arq's worker with two functions that note what they were given."""

    def __init__(self, url: str) -> None:
        self.done: list[tuple[Any, ...]] = []
        functions: list[Function] = [func(self.drain, name="drain"), func(self.execute, name="execute")]
        self.worker = Worker(
            functions=functions,
            queue_name=QUEUE,
            redis_pool=arq_client(url, "test"),
            job_serializer=dumps,
            job_deserializer=loads,
            keep_result=0,
            poll_delay=0.02,
            handle_signals=False,
        )

    async def drain(self, ctx: dict[str, Any], lane: str) -> None:
        self.done.append(("drain", lane))

    async def execute(self, ctx: dict[str, Any], run: str, attempt: int) -> None:
        self.done.append(("execute", run, attempt))
        if attempt == 0:
            raise ValueError("this job fails")

    async def finish(self) -> list[tuple[Any, ...]]:
        """Do all that is due, and go home."""
        self.worker.burst = True
        await self.worker.async_run()
        await self.worker.close()
        return self.done


async def run_script(redis: Redis, job: Job, due_ms: int) -> None:
    script = redis.register_script(ENQUEUE)
    await script(keys=[QUEUE], args=[job.id, job.payload, due_ms, JOB_TTL_MS])


def now_ms() -> int:
    return int(time.time() * 1000)


async def test_a_job_that_a_script_enqueued_is_run_with_its_arguments(redis: Redis, redis_url: str) -> None:
    await run_script(redis, new_job("drain", "support@acme.example/ünï"), now_ms())
    await run_script(redis, new_job("execute", "r1", 12345678901234567), now_ms() + 1)
    assert await Work(redis_url).finish() == [
        ("drain", "support@acme.example/ünï"),
        ("execute", "r1", 12345678901234567),
    ]


async def test_a_job_enqueued_without_a_script_is_run_too(redis: Redis, redis_url: str) -> None:
    await enqueue(redis, QUEUE, new_job("drain", "lane"))
    assert await Work(redis_url).finish() == [("drain", "lane")]


async def test_the_same_call_twice_is_two_jobs(redis: Redis, redis_url: str) -> None:
    first, second = new_job("drain", "lane"), new_job("drain", "lane")
    assert first.id != second.id
    await enqueue(redis, QUEUE, first)
    await enqueue(redis, QUEUE, second)
    assert await Work(redis_url).finish() == [("drain", "lane")] * 2


async def test_a_job_enqueued_twice_is_run_once(redis: Redis, redis_url: str) -> None:
    job = new_job("drain", "lane")
    await run_script(redis, job, now_ms())
    await run_script(redis, job, now_ms())
    assert await Work(redis_url).finish() == [("drain", "lane")]


async def test_nothing_is_kept_of_a_job_that_is_over_even_if_it_failed(redis: Redis, redis_url: str) -> None:
    await enqueue(redis, QUEUE, new_job("execute", "r1", 0))
    work = Work(redis_url)
    assert await work.finish() == [("execute", "r1", 0)]
    assert work.worker.jobs_failed == 1
    assert await redis.keys("arq:*") == []
    assert await redis.zcard(QUEUE) == 0


async def test_a_job_is_not_run_before_its_time(redis: Redis, redis_url: str) -> None:
    due = now_ms() + 300
    job = new_job("drain", "later")
    await enqueue(redis, QUEUE, job, due)
    await enqueue(redis, QUEUE, new_job("drain", "now"))
    work = Work(redis_url)
    running = asyncio.create_task(work.worker.async_run())
    await wait_for(lambda: len(work.done) == 2, what="both jobs")
    assert now_ms() >= due
    assert work.done == [("drain", "now"), ("drain", "later")]
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await work.worker.close()


async def test_a_job_can_be_started_for_a_day_after_its_time(redis: Redis) -> None:
    job = new_job("drain", "later")
    await enqueue(redis, QUEUE, job, now_ms() + 3_600_000)
    left = await redis.pttl(job_key_prefix + job.id)
    assert 0 <= JOB_TTL_MS + 3_600_000 - left < 5_000


async def test_our_format_is_the_one_that_arq_itself_writes(redis: Redis, redis_url: str) -> None:
    ours = new_job("drain", "lane")
    async with arq_client(redis_url, "test") as client:
        theirs = await client.enqueue_job("drain", "lane")
        assert theirs is not None
        written = await client.get(job_key_prefix + theirs.job_id)
        assert {**loads(written), "et": 0} == {**loads(ours.payload.encode()), "et": 0}
        assert await redis.zrange(QUEUE, 0, -1) == [theirs.job_id]


def test_a_job_that_failed_for_good_is_written_down_without_complaint() -> None:
    assert loads(dumps({"r": JobExecutionFailed("max 1 retries exceeded")})) == {"r": "JobExecutionFailed"}


def test_a_job_carries_nothing_but_json() -> None:
    with pytest.raises(TypeError, match="cannot carry a set"):
        dumps({"a": {1}})
