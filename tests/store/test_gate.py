"""The gate in Redis: no window ever holds more than its limit, and one step counts once."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from engine.flow.gate import Count, Passage, Verdict
from engine.rules.budgets import Window
from engine.store.base import Base
from engine.store.brake import brake_log, pause_sends, read_brake, resume_sends
from engine.store.connection import connect
from engine.store.gate import RedisGate

ANN, BOB = "ann@x.example", "bob@x.example"
TWO_A_SECOND, THREE_IN_FIVE = Window(2, 1_000, "2/1s"), Window(3, 5_000, "3/5s")
BOTH = (TWO_A_SECOND, THREE_IN_FIVE)


def to(*addresses: str, windows: tuple[Window, ...] = BOTH, free: bool = False) -> Passage:
    counts = tuple(Count(f"recipient:{one}", "the budget", windows, not free, one) for one in addresses)
    return Passage("", 0, counts, addresses, brakes=True)


async def ask(gate: RedisGate, passage: Passage, step: str, now: int) -> Verdict:
    return await gate.ask(replace(passage, step=step, leaves=now), now)


@pytest.fixture
def gate(redis: Redis) -> RedisGate:
    return RedisGate(Base(redis))


async def test_a_window_that_is_full_holds_and_says_how_much_it_has(gate: RedisGate) -> None:
    assert [(await ask(gate, to(ANN), f"r.{n}", n)).passed for n in range(3)] == [True, True, False]
    verdict = await ask(gate, to(ANN), "r.9", 2)
    assert verdict.barred == {ANN: "the budget allows 2/1s; so far 2"}
    assert (await ask(gate, to(BOB), "r.9", 2)).passed


async def test_a_count_that_is_given_by_another_begins_when_that_has_something(gate: RedisGate) -> None:
    once = (Window(1, 1_000, "1/1s"),)
    back = Count("led", "exchanges", once, limits=False)
    asked = Count("round", "exchanges", once, address=ANN, given="led")

    async def passes(count: Count, member: str, now: int) -> bool:
        passage = Passage("", 0, (replace(count, member=member),), (ANN,))
        return (await ask(gate, passage, f"{member}.{now}", now)).passed

    assert [await passes(asked, f"m{n}", n) for n in range(3)] == [True, True, True]
    assert await passes(back, "n", 3)
    assert [await passes(asked, "m3", 4), await passes(asked, "m3", 5)] == [True, True], "counted once"
    assert not await passes(asked, "m4", 6)
    assert await passes(asked, "m5", 70_000), "later nobody remembers"


async def test_what_is_held_is_not_counted(gate: RedisGate) -> None:
    for n in range(2):
        await ask(gate, to(ANN), f"r.{n}", 0)
    for n in range(5):
        assert not (await ask(gate, to(ANN, BOB), f"held.{n}", 10)).passed
    assert (await ask(gate, to(BOB), "r.2", 10)).passed
    assert (await ask(gate, to(ANN), "r.3", 1_001)).passed


async def test_a_window_has_lapsed_when_its_whole_length_lies_between(gate: RedisGate) -> None:
    for n in range(2):
        await ask(gate, to(ANN), f"r.{n}", 0)
    assert not (await ask(gate, to(ANN), "r.2", 1_000)).passed
    assert (await ask(gate, to(ANN), "r.2", 1_001)).passed
    verdict = await ask(gate, to(ANN), "r.3", 5_000)
    assert verdict.barred == {ANN: "the budget allows 3/5s; so far 3"}


async def test_a_step_that_is_tried_again_is_counted_once_and_from_then_on(gate: RedisGate) -> None:
    one = to(ANN, windows=(Window(1, 1_000, "1/1s"),))
    for now in (0, 1, 900):
        assert (await ask(gate, one, "r.0", now)).passed
    assert not (await ask(gate, one, "r.1", 1_900)).passed, "it is counted from its last attempt"
    assert (await ask(gate, one, "r.1", 1_901)).passed
    assert not (await ask(gate, one, "r.0", 2_000)).passed, "another has taken its place meanwhile"


async def test_a_mail_counts_from_when_it_has_left_at_the_latest(gate: RedisGate) -> None:
    one = replace(to(ANN, windows=(Window(1, 1_000, "1/1s"),)), step="r.0", leaves=200)
    assert (await gate.ask(one, 0)).passed
    assert not (await ask(gate, one, "r.1", 1_200)).passed
    assert (await ask(gate, one, "r.1", 1_201)).passed


async def test_what_the_service_keeps_until_a_time_counts_at_that_time(gate: RedisGate, redis: Redis) -> None:
    one = to(ANN, windows=(Window(1, 1_000, "1/1s"),))
    at = replace(one, leaves=500_000, kept_until=500_000)
    assert (await ask(gate, one, "first.0", -70_000)).passed
    assert (await gate.ask(replace(at, step="kept.0"), 0)).passed
    assert not (await gate.ask(replace(at, step="kept.1"), 0)).passed
    assert (await ask(gate, one, "now.0", 0)).passed, "it is far from the other"
    assert (await ask(gate, one, "now.1", 70_000)).passed
    assert await redis.pttl("postroom:gate:recipient:ann@x.example") > 500_000
    assert not (await ask(gate, one, "now.2", 500_500)).passed, "it was not forgotten meanwhile"
    assert (await ask(gate, one, "now.2", 501_001)).passed


async def test_a_limit_that_is_lowered_counts_what_left_before(gate: RedisGate) -> None:
    for n in range(4):
        assert (await ask(gate, to(ANN, windows=(Window(9, 5_000, "9/5s"),)), f"r.{n}", n)).passed
    lowered = to(ANN, windows=(Window(2, 5_000, "2/5s"),))
    assert (await ask(gate, lowered, "r.4", 5_000)).barred == {ANN: "the budget allows 2/5s; so far 4"}
    assert [(await ask(gate, lowered, f"r.{at}", at)).passed for at in (5_002, 5_003)] == [False, True]


async def test_workers_at_once_share_one_window(gate: RedisGate, redis_url: str) -> None:
    windows = (Window(5, 60_000, "5/1m"),)
    async with connect(redis_url) as second:
        gates = (gate, RedisGate(Base(second)))
        asked = [ask(gates[n % 2], to(ANN, windows=windows), f"r{n // 2}.0", 7) for n in range(40)]
        passed = [verdict.passed for verdict in await asyncio.gather(*asked)]
    assert [sum(passed[0::2]), sum(passed[1::2])] == [5, 5], "both let the same five steps pass"


async def test_a_step_whose_rule_switches_budgets_off_is_counted_all_the_same(
    gate: RedisGate, redis: Redis
) -> None:
    for n in range(9):
        assert (await ask(gate, to(ANN, free=True), f"free.{n}", n)).passed
    assert not (await ask(gate, to(ANN), "r.0", 9)).passed
    assert await redis.zcard("postroom:gate:recipient:ann@x.example") == 4, "no more are asked for"


async def test_what_is_counted_is_forgotten_after_its_longest_window(gate: RedisGate, redis: Redis) -> None:
    await ask(gate, to(ANN), "r.0", 0)
    assert 60_000 < await redis.pttl("postroom:gate:recipient:ann@x.example") <= 65_000


async def test_suppressed_addresses_are_named_with_the_reason(gate: RedisGate, redis: Redis) -> None:
    await Base(redis).redis.hset("postroom:suppressed", BOB, '{"since": 1, "why": "no such user"}')
    verdict = await ask(gate, to(ANN, BOB), "r.0", 0)
    assert verdict.barred == {BOB: "it is suppressed: no such user"}


async def test_the_brake_holds_sends_alone_and_remembers_who_and_when(gate: RedisGate, redis: Redis) -> None:
    base = Base(redis)
    first = await pause_sends(base, "ann", "a flood\nof mail", 1)
    assert await pause_sends(base, "bob", "me too", 2) == first, "who comes second changes nothing"
    assert (await read_brake(base)) == first
    assert (await ask(gate, to(ANN), "r.0", 3)).paused.endswith("by ann: a flood of mail")
    assert (await ask(gate, replace(to(ANN), brakes=False), "r.0", 3)).passed
    assert await resume_sends(base, "bob", 4) == first
    assert await resume_sends(base, "bob", 5) is None
    assert (await ask(gate, to(ANN), "r.0", 6)).passed
    told = [(entry["did"], entry["who"], entry["at"]) for entry in await brake_log(base)]
    assert told == [("pause", "ann", 1), ("resume", "bob", 4)]


STEP = st.tuples(
    st.integers(0, 9), st.integers(-3, 40), st.integers(0, 5), st.sampled_from(["sent", "failed", "kept"])
)
STEPS = st.lists(STEP, min_size=1, max_size=40)
WINDOWS = st.lists(st.tuples(st.integers(1, 4), st.integers(1, 60)), min_size=1, max_size=3)


@settings(max_examples=60)
@given(moves=STEPS, sizes=WINDOWS)
def test_no_span_of_a_windows_length_ever_sees_more_than_its_limit(
    embedded_redis_url: str, moves: list[tuple[int, int, int, str]], sizes: list[tuple[int, int]]
) -> None:
    """Steps and their retries, at clocks that differ, leaving at once, late or at a time."""
    unit = 10_000
    windows = tuple(Window(most, unit * long, f"{most}/{long}") for most, long in sizes)

    async def left() -> dict[str, int]:
        async with connect(embedded_redis_url) as redis:
            await redis.flushdb()
            gate, now, left = RedisGate(Base(redis)), 1_000, dict[str, int]()
            for step, forward, late, what in moves:
                now += forward * unit
                leaves = now + unit * (30 * late if what == "kept" else late)
                passage = replace(to(ANN, windows=windows), step=f"r.{step}", leaves=leaves)
                passage = replace(passage, kept_until=leaves if what == "kept" else 0)
                verdict = await gate.ask(passage, now) if f"r.{step}" not in left else Verdict(held="sent")
                if verdict.passed and what != "failed":
                    left[f"r.{step}"] = leaves
            return left

    times = sorted(asyncio.run(left()).values())
    for window in windows:
        for start in times:
            assert sum(start <= at <= start + window.ms for at in times) <= window.at_most
