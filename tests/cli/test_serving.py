"""What web keeps doing beside answering."""

from __future__ import annotations

import asyncio
import time

import pytest
from redis.asyncio import Redis

from engine.cli import serve
from engine.cli.serve import watch
from engine.settings import Settings
from engine.store.base import Base
from engine.wiring import Office
from tests.waiting import wait_for


async def test_a_machine_whose_clock_is_set_goes_on_by_the_time_of_redis(
    redis: Redis, redis_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    right = time.time
    for name in ("WATCH_EVERY_S", "SYNC_EVERY_S"):
        monkeypatch.setattr(serve, name, 0.0)
    office = Office(Settings(), Base(redis), redis_url)
    await office.begin()
    watching = asyncio.create_task(watch(office))
    try:
        monkeypatch.setattr("engine.store.clock.time.time", lambda: right() + 3_600)
        await wait_for(
            lambda: abs(office.clock() - right() * 1000) < 10_000, what="a clock that is right again"
        )
        assert "set them right" in caplog.text
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
