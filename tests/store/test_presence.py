"""Who is at work: connections that say whose they are."""

from __future__ import annotations

from redis.asyncio import Redis

from engine.store.base import Base
from engine.store.connection import connect
from engine.store.presence import at_work, process_name


async def test_web_and_worker_are_seen_while_they_are_connected(redis: Redis, redis_url: str) -> None:
    base = Base(redis)
    assert await at_work(base) == []
    for role in ("web", "worker"):
        async with connect(redis_url, process_name("postroom", role)) as process:
            await process.ping()
            assert [one.split()[0] for one in await at_work(base)] == [role]


async def test_others_are_not_ours(redis: Redis, redis_url: str) -> None:
    for name in (
        process_name("elsewhere", "worker"),
        process_name("worker", "web"),
        process_name("postroom", "command"),
        None,
    ):
        async with connect(redis_url, name) as process:
            await process.ping()
            assert await at_work(Base(redis)) == []
