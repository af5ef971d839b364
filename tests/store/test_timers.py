"""Timers: events of the future, which reach their lanes once."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from engine.flow.stores import Commit
from engine.flow.timers import Timer
from engine.mail.events import Event, EventKind, hook_lane
from engine.store import timers as store
from engine.store.base import Base
from engine.store.halt import halt
from engine.store.lanes import RedisLanes
from engine.store.timers import RedisTimers
from engine.store.waking import Waking

BOX = "support@acme.example"
NOW = 1_767_225_600_000


def timer(key: str, due: int = NOW, lane: str = BOX) -> Timer:
    return Timer(
        due, lane, Event(EventKind("emitted.x"), BOX, 0, key, payload='{"a":[],"b":12345678901234567}')
    )


async def lying_in(base: Base, lane: str = BOX) -> list[Event]:
    entries = await base.redis.xrange(base.key("events", lane))
    return [Event.from_json(fields["event"]) for _, fields in entries]


@pytest.fixture
def base(redis: Redis) -> Base:
    return Base(redis)


async def test_what_is_due_goes_into_its_lane_which_is_woken(base: Base) -> None:
    later, call = timer("later", NOW + 1), timer("call", lane=hook_lane("orders"))
    timers = RedisTimers(base)
    await timers.set([timer("a"), later, call])
    assert await timers.fire(NOW) == 2
    assert await lying_in(base) == [timer("a").event]
    assert await lying_in(base, hook_lane("orders")) == [call.event]
    assert await Waking(base).lanes(NOW) == 2
    assert [one async for one in timers.pending()] == [later]
    assert await timers.fire(NOW) == 0
    assert await timers.fire(NOW + 1) == 1


async def test_ticks_at_once_fire_each_timer_once(base: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "FIRED_AT_ONCE", 7)
    await RedisTimers(base).set([timer(f"k{n}") for n in range(60)])
    fired = await asyncio.gather(*(RedisTimers(base).fire(NOW) for _ in range(4)))
    assert sum(fired) == 60
    assert len({event.key for event in await lying_in(base)}) == len(await lying_in(base)) == 60


async def test_one_tick_fires_a_bounded_number(base: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "FIRED_AT_ONCE", 2)
    await RedisTimers(base).set([timer(f"k{n}") for n in range(20)])
    assert await RedisTimers(base).fire(NOW) == 2 * store.BATCHES


async def test_setting_the_same_event_again_moves_its_time(base: Base) -> None:
    timers = RedisTimers(base)
    await timers.set([timer("a"), timer("a", NOW + 10)])
    assert await timers.counts(NOW) == (1, 0)
    assert [one.due async for one in timers.pending()] == [NOW + 10]


async def test_cancelling_names_lane_and_event_alone(base: Base) -> None:
    timers = RedisTimers(base)
    await timers.set([timer("a"), timer("b")])
    assert await timers.cancel([timer("a", NOW + 99), timer("c")]) == 1
    assert [one.event.key async for one in timers.pending()] == ["b"]


async def test_overdue_timers_are_counted(base: Base) -> None:
    await RedisTimers(base).set([timer("a", NOW - store.LATE_MS), timer("b", NOW), timer("c", NOW + 5)])
    assert await RedisTimers(base).counts(NOW) == (3, 1)


async def test_nothing_fires_while_all_is_halted(base: Base) -> None:
    await RedisTimers(base).set([timer("a")])
    await halt(base, "writes were lost", NOW)
    assert await RedisTimers(base).fire(NOW) == 0
    assert await RedisTimers(base).counts(NOW) == (1, 0)


async def test_timers_are_set_with_the_commit_or_not_at_all(base: Base) -> None:
    lanes = RedisLanes(base)
    async with lanes.lease(BOX) as lease:
        assert lease
        await lanes.commit(BOX, lease, Commit(done=(), timers=(timer("a"), timer("b"))), NOW)
    assert await RedisTimers(base).counts(NOW) == (2, 0)


@settings(max_examples=40)
@given(
    st.sampled_from([BOX, hook_lane("orders"), '"a b"@x.example']),
    st.text(max_size=30),
    st.integers(0, 2**45),
)
def test_a_timer_is_read_as_it_was_written(lane: str, key: str, due: int) -> None:
    one = Timer(due, lane, Event(EventKind.MESSAGE_RECEIVED, BOX, 0, key, payload=key))
    assert Timer.from_member(one.member, due) == one
