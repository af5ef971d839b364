"""What rules remember, as Redis keeps it."""

from __future__ import annotations

from redis.asyncio import Redis

from engine.flow.stores import Commit
from engine.rules.memory import Kept
from engine.store.base import Base
from engine.store.lanes import RedisLanes
from tests.store.test_lanes import BOX

KEPT = Kept(((5, "a"), (1_767_225_600_000, "é")), 3, 60_000)


async def remember(base: Base, **kept: Kept) -> None:
    lanes = RedisLanes(base)
    async with lanes.lease(BOX) as lease:
        assert lease is not None
        commit = Commit(done=(), memory={key: (one, 50_000) for key, one in kept.items()})
        await lanes.commit(BOX, lease, commit, 10)


async def test_what_was_written_is_read_back_and_lives_as_long_as_said(redis: Redis) -> None:
    base = Base(redis)
    await remember(base, one=KEPT)
    found = await RedisLanes(base).recall(BOX, ["none", "one"])
    assert found == {"none": Kept(), "one": KEPT}
    assert 40_000 < await redis.pttl(base.key("memory", BOX, "one")) <= 50_000


async def test_lanes_remember_apart(redis: Redis) -> None:
    await remember(Base(redis), one=KEPT)
    assert await RedisLanes(Base(redis)).recall("other@x.example", ["one"]) == {"one": Kept()}


async def test_many_keys_are_one_round_trip(redis: Redis) -> None:
    base = Base(redis)
    keys = [f"k{number}" for number in range(2_500)]
    await remember(base, k0=KEPT, k2499=KEPT)
    before = (await redis.info("stats"))["total_commands_processed"]
    found = await RedisLanes(base).recall(BOX, keys)
    after = (await redis.info("stats"))["total_commands_processed"]
    assert after - before <= 4
    assert list(found) == keys
    assert (found["k0"], found["k1"], found["k2499"]) == (KEPT, Kept(), KEPT)


async def test_nothing_is_asked_for_nothing(redis: Redis) -> None:
    assert await RedisLanes(Base(redis)).recall(BOX, []) == {}
