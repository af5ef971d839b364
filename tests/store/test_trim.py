"""Forgetting: what is old and settled goes, what is open stays with all that it needs."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from engine.flow.stores import Commit, Settled, Verdicts
from engine.store.base import Base
from engine.store.blobs import RedisBlobs
from engine.store.journal import RedisJournal
from engine.store.lanes import RedisLanes
from engine.store.trim import trim
from tests.store.test_lanes import BOX, fill, group, run

DAY = 86_400_000


@pytest.fixture
async def base(redis: Redis) -> Base:
    """Three runs: one done, one dead, one whose labels are not changed yet."""
    base = Base(redis)
    await fill(base, "1", "2", "3")
    lanes, journal = RedisLanes(base), RedisJournal(base)
    done, dead, planned = run("1"), run("2", labels=False, send=True), run("3", send=True)
    await RedisBlobs(base).put("d", "{}", now=30)
    async with lanes.lease(BOX) as lease:
        assert lease is not None
        queued = tuple(await lanes.read(BOX, 9, now=20))
        judged = tuple(Verdicts(key, ("r",)) for key in "123")
        commit = Commit(
            queued, judged=judged, digest="d", runs=(done, dead, planned), groups=(group(planned),)
        )
        await lanes.commit(BOX, lease, commit, now=30)
    await journal.settle(Settled(dead.id, 0, {"outcome": "failed", "why": "no"}, failed=True), now=40)
    await RedisBlobs(base).put("newer", "{}", now=50)
    return base


async def test_nothing_goes_before_its_time(base: Base) -> None:
    assert await trim(base, now=DAY, retention=DAY) == 0
    assert len(await RedisJournal(base).newest(9)) == 3


async def test_settled_runs_and_judged_keys_go_and_the_rest_stays(base: Base) -> None:
    assert await trim(base, now=2 * DAY, retention=DAY) == 1
    journal = RedisJournal(base)
    assert {(await journal.get(one)).state for one in await journal.newest(9)} == {"dead", "planned"}  # type: ignore[union-attr]
    assert await RedisLanes(base).judged(BOX, ["1", "2", "3"]) == frozenset()
    assert await RedisBlobs(base).get("d") == "{}"


async def test_sources_go_with_the_last_run_that_needs_them(base: Base) -> None:
    await base.redis.delete(base.key("groups", BOX), base.key("dead"))
    await trim(base, now=2 * DAY, retention=DAY)
    assert await RedisBlobs(base).get("d") is None
    assert await RedisBlobs(base).get("newer") == "{}"


async def test_footsteps_that_never_came_back_go_once_a_complete_read_is_over(base: Base) -> None:
    steps = base.key("footsteps", BOX)
    await base.redis.hset(steps, mapping={"1|+A": 100, "2|+A": 0, "3|+A": 300})
    await base.redis.hset(base.key("polled"), BOX, "200")
    await trim(base, now=400, retention=DAY)
    assert set(await base.redis.hkeys(steps)) == {"2|+A", "3|+A"}


async def test_what_waited_for_long_is_remembered_from_its_end_on(base: Base) -> None:
    (done,) = [one for one in await RedisJournal(base).newest(9) if await _state(base, one) == "done"]
    await base.redis.hset(base.key("run", done), "ended", str(5 * DAY))
    assert await trim(base, now=6 * DAY - 1, retention=DAY) == 0
    assert await trim(base, now=6 * DAY, retention=DAY) == 1


async def _state(base: Base, run: str) -> str:
    return str(await base.redis.hget(base.key("run", run), "state"))
