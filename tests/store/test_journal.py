"""Claims and receipts: one at a time, and what may have worked is known as such."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from engine.flow.stores import Claim, Commit, Settled
from engine.store.base import Base
from engine.store.journal import RedisJournal
from engine.store.lanes import RedisLanes
from engine.store.waking import Waking
from tests.store.test_lanes import BOX, fill, run

RUN = run("1", labels=False, send=True)
MARGIN = 100


@pytest.fixture
async def journal(redis: Redis) -> RedisJournal:
    base = Base(redis)
    await fill(base, "1")
    lanes = RedisLanes(base)
    async with lanes.lease(BOX) as lease:
        assert lease is not None
        await lanes.commit(BOX, lease, Commit(tuple(await lanes.read(BOX, 9, now=20)), runs=(RUN,)), now=30)
    return RedisJournal(base)


async def claim(journal: RedisJournal, now: int) -> Claim:
    got = await journal.claim(RUN.id, now, now + 50, MARGIN)
    assert isinstance(got, Claim)
    return got


async def test_a_claimed_run_is_free_again_only_after_deadline_and_margin(journal: RedisJournal) -> None:
    first = await claim(journal, now=1000)
    assert (first.attempt, first.unknown, first.step) == (1, False, 0)
    assert await journal.claim(RUN.id, 1149, 1200, MARGIN) == 1150
    second = await claim(journal, now=1150)
    assert (second.attempt, second.unknown, second.looks) == (2, True, 0)


async def test_a_released_claim_says_whether_it_may_have_worked(journal: RedisJournal) -> None:
    first = await claim(journal, now=1000)
    await journal.release(first, again=1010, unknown=True, looks=1, why="lost")
    second = await claim(journal, now=1010)
    assert (second.unknown, second.looks) == (True, 1)
    await journal.release(second, again=1020, unknown=False, looks=0, why="refused")
    assert not (await claim(journal, now=1020)).unknown


async def test_what_may_have_worked_is_left_alone_until_its_time_whoever_comes_before(
    journal: RedisJournal,
) -> None:
    first = await claim(journal, now=1000)
    await journal.release(first, again=1110, unknown=True, looks=0, why="lost")
    assert await journal.claim(RUN.id, 1109, 1159, MARGIN) == 1110
    second = await claim(journal, now=1110)
    await journal.release(second, again=2000, unknown=False, looks=0, why="refused")
    assert (await claim(journal, now=1111)).attempt == 3


async def test_an_attempt_that_died_is_looked_up_anew(journal: RedisJournal) -> None:
    first = await claim(journal, now=1000)
    await journal.release(first, again=1010, unknown=True, looks=2, why="looked up in vain")
    await claim(journal, now=1010)
    third = await claim(journal, now=1160)
    assert (third.unknown, third.looks) == (True, 0)


async def test_a_release_by_somebody_whose_claim_has_passed_on_changes_nothing(journal: RedisJournal) -> None:
    first = await claim(journal, now=1000)
    await claim(journal, now=1150)
    await journal.release(first, again=0, unknown=False, looks=0, why="late")
    assert await journal.claim(RUN.id, 1160, 1200, MARGIN) == 1300


async def test_a_receipt_is_written_once(journal: RedisJournal) -> None:
    await claim(journal, now=1000)
    assert not await journal.settle(Settled(RUN.id, 0, {"outcome": "done", "id": "first"}), now=1001)
    await journal.settle(Settled(RUN.id, 0, {"outcome": "done", "id": "second"}), now=1002)
    recorded = await journal.get(RUN.id)
    assert recorded is not None
    assert (recorded.state, recorded.receipts[0]["id"]) == ("done", "first")
    assert await journal.claim(RUN.id, 2000, 2050, MARGIN) is None


async def test_a_dead_run_can_be_opened_again_from_the_step_that_failed(journal: RedisJournal) -> None:
    await claim(journal, now=1000)
    await journal.settle(Settled(RUN.id, 0, {"outcome": "failed", "why": "refused"}, failed=True), now=1001)
    assert await journal.newest(9, dead=True) == [RUN.id]
    assert await journal.reopen(RUN.id, now=1100)
    assert not await journal.reopen(RUN.id, now=1100)
    assert await journal.newest(9, dead=True) == []
    assert (await claim(journal, now=1100)).step == 0


async def test_runs_are_woken_when_due_and_then_left_alone_for_a_while(journal: RedisJournal) -> None:
    waking = Waking(journal._base)
    assert await waking.runs(now=100) == 0
    assert await waking.runs(now=30 + 5_000) == 1
    assert await waking.runs(now=30 + 5_001) == 0


async def test_runs_are_found_by_the_start_of_their_id(journal: RedisJournal) -> None:
    assert await journal.find(RUN.id[:8]) == [RUN.id]
    assert await journal.find("zz") == []


async def test_whoever_lost_the_claim_cannot_make_the_run_fail(journal: RedisJournal) -> None:
    late = await claim(journal, now=1000)
    await claim(journal, now=1150)
    failed = Settled(RUN.id, 0, {"outcome": "failed", "why": "late"}, failed=True)
    assert await journal.settle(failed, now=1160, claim=late)
    recorded = await journal.get(RUN.id)
    assert recorded is not None
    assert (recorded.state, recorded.receipts) == ("open", {})


async def test_replay_looks_up_what_may_have_worked(journal: RedisJournal) -> None:
    first = await claim(journal, now=1000)
    failed = Settled(RUN.id, 0, {"outcome": "failed", "why": "never looked up"}, failed=True)
    await journal.settle(failed, now=1001, claim=first)
    await journal.reopen(RUN.id, now=1100)
    again = await claim(journal, now=1100)
    assert (again.unknown, again.looks, again.since) == (True, 0, 1100)


async def test_a_run_of_another_version_becomes_a_dead_letter(journal: RedisJournal) -> None:
    await journal._redis.hset(journal._key("run", RUN.id), "run", '{"id": "x"}')
    assert await journal.claim(RUN.id, 1000, 1050, MARGIN) is None
    assert await journal.newest(9, dead=True) == [RUN.id]


async def test_a_person_may_settle_a_dead_run_as_it_is(journal: RedisJournal) -> None:
    assert not await journal.dismiss(RUN.id, now=1000)
    await journal.settle(Settled(RUN.id, 0, {"outcome": "failed", "why": "no"}, failed=True), now=1001)
    assert await journal.dismiss(RUN.id, now=1002)
    assert await journal.newest(9, dead=True) == []
    assert not await journal.reopen(RUN.id, now=1003)
