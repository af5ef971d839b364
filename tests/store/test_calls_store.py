"""Calls in Redis: taken once, told of, and what they brought along erased when their runs are settled."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from engine.flow.calls import Call, hook_event, key_id
from engine.mail.bodies import File
from engine.store.base import Base
from engine.store.board import Board
from engine.store.calls import RedisCalls
from engine.store.layout import claim_layout

NOW = 1_767_225_600_000
DAY_MS = 86_400_000
SALT = "salt"


@pytest.fixture
def calls(redis: Redis) -> RedisCalls:
    return RedisCalls(Base(redis), 30 * DAY_MS)


def call(key: str, body: str = "{}", **more: object) -> Call:
    event = hook_event("orders", "n@acme.example", key_id("hook.orders", key, SALT), body)
    return replace(Call(event, f"digest of {body}"), **more)  # type: ignore[arg-type]


async def lane(redis: Redis) -> int:
    return int(await redis.xlen("postroom:events:hook.orders"))


async def test_a_call_wakes_its_lane_and_is_queued(calls: RedisCalls, redis: Redis) -> None:
    (taken,) = await calls.take([call("a")], NOW)
    assert (taken.repeated, taken.differs) == (False, False)
    assert await redis.exists("postroom:awake")
    assert await redis.zcard("postroom:queue") == 1
    state = await calls.state(taken.id)
    assert state is not None
    assert (state.lane, state.decided, state.runs) == ("hook.orders", False, ())


async def test_ids_of_keys_follow_from_a_secret_that_all_processes_share(redis: Redis) -> None:
    salts = await asyncio.gather(*(RedisCalls(Base(redis), 30 * DAY_MS).salt() for _ in range(5)))
    assert set(salts) == {await redis.get("postroom:salt")}
    assert len({key_id("send", "order-1", salt) for salt in (*salts, SALT, "")}) == 3
    assert await redis.ttl("postroom:salt") == -1


async def test_every_backup_has_that_secret(redis: Redis) -> None:
    await claim_layout(Base(redis))
    salt = await redis.get("postroom:salt")
    assert salt == await RedisCalls(Base(redis), 30 * DAY_MS).salt()
    await claim_layout(Base(redis))
    assert await redis.get("postroom:salt") == salt


async def test_a_repetition_is_answered_the_same_and_adds_nothing(calls: RedisCalls, redis: Redis) -> None:
    (first,) = await calls.take([call("a")], NOW)
    (again,) = await calls.take([call("a")], NOW)
    assert again.id == first.id
    assert (again.repeated, again.differs) == (True, False)
    assert await lane(redis) == 1


async def test_the_same_key_within_one_write_counts_once(calls: RedisCalls, redis: Redis) -> None:
    taken = await calls.take([call("a"), call("b"), call("a"), call("a", '{"b": 1}')], NOW)
    assert [one.repeated for one in taken] == [False, False, True, True]
    assert [one.differs for one in taken] == [False, False, False, True]
    assert await lane(redis) == 2


async def test_other_bytes_under_the_same_key_are_not_taken(calls: RedisCalls, redis: Redis) -> None:
    await calls.take([call("a")], NOW)
    (taken,) = await calls.take([call("a", '{"other": 1}')], NOW)
    assert taken.differs
    assert await lane(redis) == 1
    (lenient,) = await calls.take([call("a", '{"other": 1}', strict=False)], NOW)
    assert (lenient.repeated, lenient.differs) == (True, False)


async def test_the_same_key_of_another_lane_is_another(calls: RedisCalls) -> None:
    (one,) = await calls.take([call("a")], NOW)
    other = hook_event("refunds", "n@acme.example", key_id("hook.refunds", "a", SALT), "{}")
    (two,) = await calls.take([Call(other, "digest of {}")], NOW)
    assert not two.repeated
    assert one.id != two.id


async def test_the_same_bytes_within_a_while_are_a_repetition(calls: RedisCalls, redis: Redis) -> None:
    (first,) = await calls.take([call("1", within=60_000)], NOW)
    (again,) = await calls.take([call("2", within=60_000)], NOW)
    assert again.id == first.id
    assert await lane(redis) == 1
    await redis.delete("postroom:repeat:hook.orders:digest of {}")  # as when its time is over
    (later,) = await calls.take([call("3", within=60_000)], NOW)
    assert later.id != first.id
    assert await lane(redis) == 2


async def test_keys_are_known_for_longer_than_runs_are_kept(calls: RedisCalls, redis: Redis) -> None:
    (taken,) = await calls.take([call("a")], NOW)
    assert await redis.pttl(f"postroom:call:{taken.id}") > 30 * DAY_MS
    (short,) = await RedisCalls(Base(redis), 2 * DAY_MS).take([call("b")], NOW)
    assert await redis.pttl(f"postroom:call:{short.id}") > 7 * DAY_MS


async def test_files_lie_apart_and_expire(calls: RedisCalls, redis: Redis) -> None:
    (taken,) = await calls.take([call("a", files=(File("a.txt", "text/plain", b"planted"),))], NOW)
    assert 0 < await redis.pttl(f"postroom:files:{taken.id}") <= 8 * DAY_MS
    (_, fields), *_ = await redis.xrange("postroom:events:hook.orders")
    assert "cGxhbnRlZA" not in fields["event"]


async def test_many_at_once_are_each_taken_once(calls: RedisCalls, redis: Redis) -> None:
    def some(numbers: Iterable[int]) -> list[Call]:
        return [call(str(number)) for number in numbers]

    batches = await asyncio.gather(*(calls.take(some(range(at, at + 30)), NOW) for at in range(0, 300, 15)))
    fresh = [one.id for batch in batches for one in batch if not one.repeated]
    assert len(fresh) == len(set(fresh)) == await lane(redis) == 315


async def test_what_nobody_called_is_not_known(calls: RedisCalls) -> None:
    assert await calls.state("0" * 32) is None


async def test_what_waits_in_lanes_of_calls_is_watched(calls: RedisCalls, redis: Redis) -> None:
    await calls.take([call("a"), call("b")], NOW)
    await calls._redis.sadd("postroom:awake", "support@acme.example", "send")
    (found,) = (await Board(Base(redis), [], [], {}).read(NOW)).calls
    assert (found.lane, found.queued, found.oldest > 0) == ("hook.orders", 2, True)
