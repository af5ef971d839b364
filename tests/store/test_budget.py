"""An account's share of the rate limits, common to all workers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import pytest
from redis.asyncio import Redis

from engine.errand import in_background
from engine.flow.ports import RateBudget
from engine.store.budget import SAVED_UP_S, RedisBudget
from engine.store.connection import connect
from tests.shop import make_shop


def budget(
    redis: Redis, limits: Mapping[str, float] | None, daily: Mapping[str, int] | None = None
) -> RedisBudget:
    return RedisBudget(redis, "test", "acme", limits, daily)


async def drain(worker: RateBudget, rate_class: str = "LIGHT", at_most: int = 1000) -> int:
    """Take until refused; how many calls were granted."""
    for granted in range(at_most):
        if await worker.take(rate_class):
            return granted
    return at_most


async def calls_until(worker: RedisBudget, end: float) -> int:
    """Call as fast as one may; how often until `end` (monotonic)."""
    granted = 0
    while time.monotonic() < end:
        wait = await worker.take("LIGHT")
        if wait:
            await asyncio.sleep(min(wait, max(end - time.monotonic(), 0)))
        else:
            granted += 1
    return granted


async def test_without_limits_redis_is_never_asked() -> None:
    unreachable = connect("redis://127.0.0.1:1")
    worker = budget(unreachable, None)
    assert [await worker.take("HEAVY") for _ in range(100)] == [0.0] * 100
    await worker.pause("HEAVY", time.time() + 10)
    assert await worker.take("HEAVY") > 9
    assert await worker.take("LIGHT") == 0


async def test_no_more_is_saved_up_than_a_fifth_of_a_second(redis: Redis) -> None:
    assert 1 <= await drain(budget(redis, {"LIGHT": 50})) <= 50 * SAVED_UP_S + 2


async def test_a_slow_class_still_grants_its_first_call(redis: Redis) -> None:
    worker = budget(redis, {"LIGHT": 0.1})
    assert await worker.take("LIGHT") == 0
    assert await worker.take("LIGHT") == pytest.approx(10, abs=0.5)


async def test_workers_together_keep_the_rate_and_use_it(redis: Redis, redis_url: str) -> None:
    rate, seconds = 100, 1.0
    async with connect(redis_url) as other:
        workers = [budget(client, {"LIGHT": rate}) for client in (redis, other) * 3]
        end = time.monotonic() + seconds
        granted = sum(await asyncio.gather(*(calls_until(worker, end) for worker in workers)))
    assert granted <= rate * (seconds + SAVED_UP_S) + 1
    assert granted >= rate * seconds * 0.7


async def test_those_who_are_refused_are_told_different_times(redis: Redis) -> None:
    limits = {"LIGHT": 5.0}
    await drain(budget(redis, limits))
    began = time.monotonic()
    times = [await budget(redis, limits).take("LIGHT") + time.monotonic() - began for _ in range(8)]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert gaps == pytest.approx([0.2] * 7, abs=0.15)


async def test_nobody_is_told_to_wait_much_longer_than_it_takes(redis: Redis) -> None:
    worker = budget(redis, {"LIGHT": 1})
    await worker.take("LIGHT")
    assert max([await worker.take("LIGHT") for _ in range(50)]) < 3.5


async def test_classes_and_accounts_do_not_touch_each_other(redis: Redis) -> None:
    limits = {"LIGHT": 1.0, "HEAVY": 1.0}
    worker = budget(redis, limits)
    assert await drain(worker, "LIGHT") == 1
    assert await worker.take("HEAVY") == 0
    assert await RedisBudget(redis, "test", "other", limits).take("LIGHT") == 0


async def test_a_pause_holds_for_every_worker_and_is_never_shortened(redis: Redis) -> None:
    limits = {"LIGHT": 100.0}
    worker, other = budget(redis, limits), budget(redis, limits)
    await worker.pause("LIGHT", time.time() + 20)
    await worker.pause("LIGHT", time.time() + 5)
    assert 19 < await other.take("LIGHT") < 23
    assert 19 < await worker.take("LIGHT") < 23
    assert await drain(other) == 0


async def test_a_pause_ends(redis: Redis) -> None:
    limits = {"LIGHT": 100.0}
    await budget(redis, limits).pause("LIGHT", time.time() + 0.1)
    other = budget(redis, limits)
    wait = await other.take("LIGHT")
    assert 0 < wait <= 0.2
    await asyncio.sleep(wait)
    assert await other.take("LIGHT") == 0


@pytest.mark.parametrize(
    ("until", "longest"),
    [
        pytest.param(-60, 0, id="one that is over is none"),
        pytest.param(10 * 86_400, 86_403, id="one of many days is cut to a day"),
    ],
)
async def test_odd_pauses(redis: Redis, until: float, longest: float) -> None:
    worker = budget(redis, {"LIGHT": 100.0})
    await worker.pause("LIGHT", time.time() + until)
    assert await worker.take("LIGHT") <= longest


async def test_a_daily_cap_is_used_to_the_last_call_and_holds_until_midnight_utc(redis: Redis) -> None:
    limits, daily = {"HEAVY": 1000.0}, {"HEAVY": 7}
    workers = [budget(redis, limits, daily) for _ in range(3)]
    assert sum([await drain(worker, "HEAVY") for worker in workers]) == 7
    midnight = 86_400 - time.time() % 86_400
    assert await workers[0].take("HEAVY") == pytest.approx(midnight, abs=3)


async def test_what_can_wait_has_a_quarter_of_an_accounts_calls(
    redis: Redis, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.wiring.BUSINESS", {"HEAVY": 10_000.0})
    monkeypatch.setattr("engine.wiring.BUSINESS_HEAVY_DAILY", 80)
    shop = make_shop(tmp_path, f"redis: {{url: '{redis_url}'}}")
    async with shop.office() as office:
        # Half of what the service allows is ours.
        common = office._make_budget("acme", office.settings.accounts["acme"])
        with in_background():
            assert await drain(common, "HEAVY") == 10
        assert await drain(common, "HEAVY") == 30


async def test_nothing_is_kept_of_a_class_that_is_not_used(redis: Redis) -> None:
    await budget(redis, {"LIGHT": 10.0}).take("LIGHT")
    assert 0 < await redis.pttl("test:budget:acme:LIGHT") < 70_000
