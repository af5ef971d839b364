"""One clock for all machines."""

from __future__ import annotations

import time

import pytest
from redis.asyncio import Redis

from engine.errors import SettingsError
from engine.store.clock import ServerClock


async def test_a_machine_whose_clock_is_wrong_tells_the_time_of_redis(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = time.time
    monkeypatch.setattr("engine.store.clock.time.time", lambda: right() + 4)
    clock = ServerClock(redis)
    assert clock() > right() * 1000 + 3_000
    await clock.sync()
    assert abs(clock() - right() * 1000) < 1_000


async def test_a_machine_whose_clock_is_far_off_is_refused(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = time.time
    monkeypatch.setattr("engine.store.clock.time.time", lambda: right() - 90)
    with pytest.raises(SettingsError, match="differ by 90 s"):
        await ServerClock(redis).sync()
