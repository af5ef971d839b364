"""Lanes: order, leases, commits that happen whole and once."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from engine.errors import LeaseLost
from engine.flow.plan import LabelGroup, Run, RunLabels
from engine.flow.stores import Claim, Commit, Settled, Tried, Verdicts
from engine.mail.events import Event, EventKind
from engine.rules.effects import ChangeLabels, SendMessage
from engine.store.base import Base
from engine.store.journal import RedisJournal
from engine.store.lanes import RedisLanes
from engine.store.mailboxes import RedisMailboxes
from engine.store.waking import Waking

BOX = "box@x.example"


@pytest.fixture
def base(redis: Redis) -> Base:
    return Base(redis)


def event(key: str) -> Event:
    return Event(EventKind.MESSAGE_RECEIVED, BOX, 7, key, labels=("INBOX",))


def run(key: str, *, labels: bool = True, send: bool = False, held: bool = False) -> Run:
    steps = (
        *((ChangeLabels(add=("A",)),) if labels else ()),
        *((SendMessage(template="t", reply=True),) if send else ()),
    )
    return Run(
        id=key.rjust(32, "0"),
        rule="r",
        event=f"{BOX}/{key}",
        kind=EventKind.MESSAGE_RECEIVED,
        mailbox=BOX,
        key=key,
        digest="d",
        created=1.0,
        steps=steps,
        grouped=int(labels),
        held={len(steps) - 1: "ourselves"} if held else {},
    )


def group(*runs: Run) -> LabelGroup:
    parts = {one.key: (RunLabels(run=one.id, steps=(0,), more=len(one.steps) > 1),) for one in runs}
    return LabelGroup(add=("A",), remove=(), keys=tuple(parts), runs=parts)


async def fill(base: Base, *keys: str) -> None:
    boxes = RedisMailboxes(base)
    await boxes.start(BOX, 1, now=5)
    assert await boxes.append(BOX, 1, 2, [event(key) for key in keys], now=10)


async def test_events_come_out_in_the_order_in_which_they_were_appended(base: Base) -> None:
    await fill(base, "1", "2", "3")
    queued = await RedisLanes(base).read(BOX, 2, now=20)
    assert [one.event.key for one in queued] == ["1", "2"]
    assert queued[0].event == event("1")


async def test_a_page_is_appended_only_from_the_cursor_that_it_was_read_from(base: Base) -> None:
    await fill(base, "1")
    boxes = RedisMailboxes(base)
    assert not await boxes.append(BOX, 1, 3, [event("9")], now=11)
    assert [one.event.key for one in await RedisLanes(base).read(BOX, 9, now=20)] == ["1"]
    cursor = await boxes.cursor(BOX)
    assert cursor is not None
    assert cursor.history == 2


async def test_only_one_has_the_lease(base: Base) -> None:
    lanes = RedisLanes(base)
    async with lanes.lease(BOX) as first, lanes.lease(BOX) as second:
        assert first is not None
        assert second is None
    async with lanes.lease(BOX) as third:
        assert third is not None


async def test_a_commit_without_the_lease_writes_nothing(base: Base) -> None:
    await fill(base, "1")
    lanes = RedisLanes(base)
    queued = tuple(await lanes.read(BOX, 9, now=20))
    async with lanes.lease(BOX) as lease:
        assert lease is not None
        await base.redis.set(base.key("lease", BOX), "somebody else")
        with pytest.raises(LeaseLost):
            await lanes.commit(BOX, lease, Commit(queued, runs=(run("1"),)), now=30)
    assert await lanes.read(BOX, 9, now=20) == list(queued)
    assert await RedisJournal(base).newest(9) == []


async def test_a_commit_takes_the_events_and_records_runs_verdicts_and_groups(base: Base) -> None:
    await fill(base, "1", "2")
    lanes, one = RedisLanes(base), run("1", send=True)
    queued = tuple(await lanes.read(BOX, 9, now=20))
    async with lanes.lease(BOX) as lease:
        assert lease is not None
        verdicts = (Verdicts("1", ("r",)), Verdicts("2", ()))
        await lanes.commit(
            BOX, lease, Commit(queued, judged=verdicts, digest="d", runs=(one,), groups=(group(one),)), now=30
        )
        assert await lanes.read(BOX, 9, now=40) == []
        assert await lanes.judged(BOX, ["1", "2", "3"]) == {"1", "2"}
        recorded = await RedisJournal(base).get(one.id)
        assert recorded is not None
        assert (recorded.run, recorded.state) == (one, "planned")
        assert await lanes.groups(BOX) == [group(one)]
        assert not await lanes.rest(BOX, lease, now=50)


async def test_runs_open_when_their_group_was_attempted_and_end_with_their_last_receipt(base: Base) -> None:
    await fill(base, "1", "2")
    lanes, journal = RedisLanes(base), RedisJournal(base)
    both, alone = run("1", send=True), run("2")
    async with lanes.lease(BOX) as lease:
        assert lease is not None
        queued = tuple(await lanes.read(BOX, 9, now=20))
        await lanes.commit(
            BOX, lease, Commit(queued, runs=(both, alone), groups=(group(both, alone),)), now=30
        )
        settled = [Settled(one.id, 0, {"outcome": "done"}) for one in (both, alone)]
        tried = Tried(group(both, alone), tuple(settled), (both.id,))
        await lanes.settle_groups(BOX, lease, [tried], now=40)
        assert await lanes.rest(BOX, lease, now=50)
    first, second = await journal.get(both.id), await journal.get(alone.id)
    assert first is not None
    assert second is not None
    assert (first.state, second.state) == ("open", "done")
    claim = await journal.claim(both.id, now=60, deadline=70, margin=10)
    assert not isinstance(claim, int)
    assert claim is not None
    assert claim.step == 1
    assert not await journal.settle(Settled(both.id, 1, {"outcome": "done"}), now=65)
    ended = await journal.get(both.id)
    assert ended is not None
    assert ended.state == "done"


@pytest.mark.parametrize(
    ("one", "state"),
    [
        pytest.param(run("1"), "done", id="labels that change nothing leave nothing to do"),
        pytest.param(
            run("1", labels=False, send=True, held=True), "done", id="a held send leaves nothing to do"
        ),
        pytest.param(run("1", labels=False, send=True), "open", id="a send without labels may go at once"),
    ],
)
async def test_a_run_without_a_group_starts_in_its_state(base: Base, one: Run, state: str) -> None:
    await fill(base, "1")
    lanes = RedisLanes(base)
    async with lanes.lease(BOX) as lease:
        assert lease is not None
        await lanes.commit(BOX, lease, Commit(tuple(await lanes.read(BOX, 9, now=20)), runs=(one,)), now=30)
    recorded = await RedisJournal(base).get(one.id)
    assert recorded is not None
    assert recorded.state == state


async def test_what_waits_comes_back_when_its_time_has_come(base: Base) -> None:
    await fill(base, "1", "2")
    lanes, waking = RedisLanes(base), Waking(base)
    async with lanes.lease(BOX) as lease:
        assert lease is not None
        first, second = await lanes.read(BOX, 9, now=20)
        await lanes.commit(BOX, lease, Commit((second,), waiting=((first, 1000),)), now=30)
        assert await lanes.read(BOX, 9, now=40) == []
        assert await lanes.rest(BOX, lease, now=40)
    assert await waking.lanes(now=500) == 0
    assert await waking.lanes(now=1000) == 1
    (again,) = await lanes.read(BOX, 9, now=1000)
    assert again.event == first.event


async def test_a_lane_with_events_is_woken_unless_somebody_drains_it(base: Base) -> None:
    await fill(base, "1")
    waking = Waking(base)
    async with RedisLanes(base).lease(BOX):
        assert await waking.lanes(now=20) == 0
    assert await waking.lanes(now=20) == 1
    assert await waking.lanes(now=20) == 0


async def test_labels_that_settle_late_leave_alone_a_send_that_is_under_way(base: Base) -> None:
    await fill(base, "1")
    lanes, journal, one = RedisLanes(base), RedisJournal(base), run("1", send=True)
    async with lanes.lease(BOX) as lease:
        assert lease is not None
        queued = tuple(await lanes.read(BOX, 9, now=20))
        await lanes.commit(BOX, lease, Commit(queued, runs=(one,), groups=(group(one),)), now=30)
        tried = group(one).model_copy(update={"tries": 1, "again": 50})
        await lanes.settle_groups(BOX, lease, [Tried(group(one), opened=(one.id,), instead=(tried,))], now=40)
        claim = await journal.claim(one.id, now=60, deadline=90, margin=10)
        assert isinstance(claim, Claim)
        await lanes.settle_groups(
            BOX, lease, [Tried(tried, (Settled(one.id, 0, {"outcome": "done"}),))], now=70
        )
        assert await journal.claim(one.id, now=71, deadline=99, margin=10) == 100
    assert not await journal.settle(Settled(one.id, 1, {"outcome": "done"}), now=80, claim=claim)
    assert await lanes.groups(BOX) == []


async def test_a_dismissed_run_stays_settled_when_its_labels_are_changed_after_all(base: Base) -> None:
    await fill(base, "1")
    lanes, journal, one = RedisLanes(base), RedisJournal(base), run("1", send=True)
    async with lanes.lease(BOX) as lease:
        assert lease is not None
        queued = tuple(await lanes.read(BOX, 9, now=20))
        await lanes.commit(BOX, lease, Commit(queued, runs=(one,), groups=(group(one),)), now=30)
        tried = group(one).model_copy(update={"tries": 1, "again": 50})
        await lanes.settle_groups(BOX, lease, [Tried(group(one), opened=(one.id,), instead=(tried,))], now=40)
        await journal.settle(Settled(one.id, 1, {"outcome": "failed", "why": "no"}, failed=True), now=50)
        assert await journal.dismiss(one.id, now=60)
        await lanes.settle_groups(
            BOX, lease, [Tried(tried, (Settled(one.id, 0, {"outcome": "done"}),))], now=70
        )
    recorded = await journal.get(one.id)
    assert recorded is not None
    assert recorded.state == "done"
    assert await journal.newest(9, dead=True) == []
