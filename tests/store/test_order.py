"""In which order jobs are taken: what little one mailbox has does not wait for the much of another."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from arq.constants import job_key_prefix
from redis.asyncio import Redis

from engine.mail.events import Event, EventKind
from engine.store.base import Base
from engine.store.jobs import LEAD_MS, arq_client
from engine.store.lanes import RedisLanes
from engine.store.mailboxes import RedisMailboxes
from engine.store.waking import Waking
from tests.store.test_lanes import BOX, run
from tests.store.test_shortcut import sending

SMALL = "small@x.example"
NOW = 1_000_000


class Queue:
    """Jobs as a worker would take them."""

    def __init__(self, redis: Redis) -> None:
        self.base = Base(redis)
        self.lanes = RedisLanes(self.base)

    async def commit(self, now: int, *keys: str) -> None:
        async with self.lanes.lease(BOX) as lease:
            assert lease is not None
            await self.lanes.commit(BOX, lease, sending(*keys), now=now)

    async def order(self, now: int) -> list[tuple[str, ...]]:
        """Function and arguments of each job that is due."""
        jobs = await self.base.redis.zrangebyscore(self.base.queue, "-inf", now)
        texts = [await self.base.redis.get(job_key_prefix + job) for job in jobs]
        return [(job["f"], *job["a"]) for job in map(json.loads, texts)]


@pytest.fixture
def queue(redis: Redis) -> Queue:
    return Queue(redis)


async def test_a_poll_and_a_drain_go_before_the_runs_of_a_huge_mailbox(queue: Queue) -> None:
    await queue.commit(NOW, *(str(number) for number in range(300)))
    mailboxes = RedisMailboxes(queue.base)
    await mailboxes.ring([SMALL], NOW + 1)
    await mailboxes.start(SMALL, 0, NOW + 2)
    await mailboxes.append(SMALL, 0, 1, [Event(EventKind.MESSAGE_RECEIVED, SMALL, 1, "m1")], NOW + 2)
    jobs = await queue.order(NOW + 2)
    assert jobs[0] == ("execute", run("0").id)
    assert jobs[1:3] == [("poll", SMALL), ("drain", SMALL)]
    assert len(jobs) == 302


async def test_the_first_runs_of_a_batch_go_before_the_hundredth_of_another(queue: Queue) -> None:
    await queue.commit(NOW, *(str(number) for number in range(300)))
    await queue.commit(NOW + 990, "few")
    jobs = await queue.order(NOW + 990)
    assert jobs.index(("execute", run("few").id)) == 20
    assert jobs[0] == ("execute", run("0").id)


async def test_a_run_that_waited_for_long_goes_before_whatever_comes_anew(queue: Queue) -> None:
    await queue.commit(NOW, *(str(number) for number in range(300)))
    late = NOW + LEAD_MS + 1
    await RedisMailboxes(queue.base).ring([SMALL], late)
    assert (await queue.order(late))[-1] == ("poll", SMALL)


async def test_polls_that_the_tick_wakes_go_first_as_well(queue: Queue) -> None:
    await queue.commit(NOW, *(str(number) for number in range(300)))
    await Waking(queue.base).polls({SMALL: 1_000}, NOW + 1)
    assert (await queue.order(NOW + 1))[1] == ("poll", SMALL)


async def test_a_tick_goes_before_the_runs_that_a_batch_opens_after_it(queue: Queue, redis_url: str) -> None:
    """It wakes what is polled and what was lost: who waits for it would wait twice."""
    second = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
    async with arq_client(redis_url, queue.base.prefix) as client:
        await client.enqueue_job("cron:tick", _defer_until=second)
        await client.enqueue_job("cron:tick")
    now = int(second.timestamp() * 1000)
    await queue.commit(now + 2_000, *(str(number) for number in range(300)))
    assert (await queue.order(now + 2_000))[:2] == [("cron:tick",)] * 2
