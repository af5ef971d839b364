"""`schedule:` rules: at each time, mailboxes are looked through, once, and what is found is judged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from engine.flow import scheduling
from engine.flow.scheduling import GRACE_MS, see_to_schedules
from engine.mail.events import Event, EventKind
from engine.store.lanes import RedisLanes
from tests.flow.conftest import World
from tests.flow.fakes import BOX, START_MS, mail

HOUR_MS = 3_600_000
DAILY = (
    "{id: chase, event: schedule, schedule: '0 9 * * *', when: {query: 'label:waiting older_than:2d'},"
    " then: [{label: Chase}]}"
)


async def at(world: World, ms: int) -> None:
    """Let time pass up to `ms` after the start; the tick sees to schedules, the lane to what they set off."""
    world.clock.now = START_MS + ms
    await see_to_schedules(world.scheduling, world.clock())
    await world.drain()


async def days(world: World) -> None:
    """Three messages: one waits for long, one only lately, one not at all; judged before the rules came."""
    day = 24 * HOUR_MS
    world.provider.deliver("old", mail("old"), ["INBOX", "Waiting"], received=START_MS - 3 * day)
    world.provider.deliver("new", mail("new"), ["INBOX", "Waiting"])
    world.provider.deliver("other", mail("other"), ["INBOX"], received=START_MS - 3 * day)
    await world.poll()
    await world.rules(DAILY)
    await world.drain()


def chased(world: World) -> set[str]:
    return {key for key, one in world.provider.messages.items() if "Chase" in one.labels}


async def firings(world: World) -> int:
    return world.provider.calls["search"]


async def test_what_is_found_is_judged_when_the_time_has_come(world: World) -> None:
    await days(world)
    await at(world, 0)
    await at(world, 9 * HOUR_MS - 1)
    assert (await firings(world), chased(world)) == (0, set())
    await at(world, 9 * HOUR_MS)
    await at(world, 9 * HOUR_MS + 1_000)
    assert (await firings(world), chased(world)) == (1, {"old"})
    (run,) = await world.runs()
    assert (run.run.rule, run.run.key, run.run.kind) == ("chase", "old", "schedule.chase")
    (narrow,) = world.provider.searched
    assert narrow.labels == {"waiting"}
    assert narrow.until == datetime.fromtimestamp(world.clock() / 1000, UTC) - timedelta(days=2, seconds=1)
    assert "new" not in world.provider.fetched


async def test_what_is_looked_for_and_found_is_read_behind_new_mail(world: World) -> None:
    await days(world)
    await at(world, 0)
    assert not world.provider.unhurried
    await at(world, 9 * HOUR_MS)
    assert chased(world) == {"old"}
    assert world.provider.unhurried == {"search": 1, "fetch": 1}


async def test_a_message_acts_once_for_each_time(world: World) -> None:
    await days(world)
    await at(world, 0)
    for day in range(3):
        await at(world, (24 * day + 9) * HOUR_MS)
        world.provider.relabel("old", remove=["Chase"])
    assert len({run.run.id for run in await world.runs() if run.run.key == "old"}) == 3


async def test_a_time_that_nobody_saw_to_is_made_up_for_once_within_the_grace(world: World) -> None:
    await days(world)
    await world.rules(DAILY.replace("0 9 * * *", "*/10 * * * *"))
    await at(world, 0)
    await at(world, 5 * HOUR_MS + 300_000)
    assert await firings(world) == 1


async def test_a_time_that_is_too_long_ago_is_left_out(world: World) -> None:
    await days(world)
    await at(world, 0)
    await at(world, 9 * HOUR_MS + GRACE_MS + 60_000)
    assert await firings(world) == 0
    await at(world, 33 * HOUR_MS)
    assert await firings(world) == 1


async def test_a_new_or_changed_schedule_counts_from_when_it_came(world: World) -> None:
    await days(world)
    await at(world, 9 * HOUR_MS + 60_000)
    assert await firings(world) == 0
    await world.rules(DAILY.replace("0 9", "2 9"))
    await at(world, 9 * HOUR_MS + 180_000)
    assert await firings(world) == 0
    await at(world, 33 * HOUR_MS + 120_000)
    assert await firings(world) == 1


async def test_a_removed_schedule_is_dropped(world: World) -> None:
    await days(world)
    await at(world, 0)
    await world.rules("{when: {subject: x}, then: [{label: X}]}")
    await at(world, 8 * HOUR_MS)
    assert await world.scheduling.schedules.marks() == {}
    await at(world, 9 * HOUR_MS)
    assert await firings(world) == 0


async def test_what_was_set_off_for_a_rule_that_is_gone_does_nothing(world: World) -> None:
    await days(world)
    await at(world, 0)
    world.clock.now = START_MS + 9 * HOUR_MS
    await see_to_schedules(world.scheduling, world.clock())
    await world.rules("{when: {subject: x}, then: [{label: X}]}")
    await world.drain()
    assert (await world.queued(), await firings(world)) == ([], 0)


async def test_two_ticks_at_once_set_off_one(world: World) -> None:
    await days(world)
    await at(world, 0)
    world.clock.now = START_MS + 9 * HOUR_MS
    store, digest = world.scheduling.schedules, world.sources.digest
    ((place, mark),) = (await store.marks()).items()
    event = Event(EventKind(place[0]), BOX, 0, changed=("t",))
    moved = [await store.move(digest, place, mark, f"x\n{n}", event, world.clock()) for n in range(2)]
    assert moved == [True, False]
    assert len(await world.queued()) == 1


async def test_a_worker_with_other_rules_than_those_in_force_moves_nothing(world: World) -> None:
    await days(world)
    place = ("schedule.chase", BOX)
    assert not await world.scheduling.schedules.move("another", place, "", "x\n1", None, 1)


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_worker_that_dies_at_the_commit_loses_and_doubles_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    await days(world)
    await at(world, 0)
    commit = RedisLanes.commit
    died: list[str] = []

    async def dying(*args: object, **options: object) -> None:
        if when == "after" or died:
            await commit(*args, **options)  # type: ignore[arg-type]
        if not died:
            died.append(when)
            raise ConnectionError

    monkeypatch.setattr(RedisLanes, "commit", dying)
    with pytest.raises(ConnectionError):
        await at(world, 9 * HOUR_MS)
    await at(world, 9 * HOUR_MS + 10_000)
    assert chased(world) == {"old"}
    assert len(await world.runs()) == 1


async def test_pages_follow_one_another_up_to_a_bound(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduling, "MAX_PAGES", 3)
    world.provider.page_size = 2
    for number in range(8):
        world.provider.deliver(f"m{number}", mail("m"), ["INBOX", "Waiting"], received=START_MS - 10**9)
    while await world.poll():
        pass
    await world.rules(DAILY)
    await world.drain()
    await at(world, 0)
    await at(world, 9 * HOUR_MS)
    assert await firings(world) == 3
    assert chased(world) == {f"m{number}" for number in range(2, 8)}


async def test_rules_of_a_group_are_judged_together(world: World) -> None:
    await days(world)
    await world.rules(
        "{group: {id: g, event: schedule, schedule: '0 9 * * *', mode: first, when: {label: Waiting}, rules:"
        " [{id: long, when: {received: {older_than: 2d}}, then: [{label: Chase}]},"
        " {id: rest, then: [{label: Soon}]}]}}"
    )
    await at(world, 0)
    await at(world, 9 * HOUR_MS)
    assert await world.matched() == [("new", "rest"), ("old", "long")]
    assert {run.run.kind for run in await world.runs()} == {"schedule.g"}


async def test_what_went_out_and_what_lies_in_the_trash_is_left_alone(world: World) -> None:
    await days(world)
    world.provider.relabel("old", ["TRASH"])
    world.provider.deliver("sent", mail("x"), ["SENT", "Waiting"], received=START_MS - 10**9)
    await at(world, 0)
    await at(world, 9 * HOUR_MS)
    assert chased(world) == set()


async def test_of_a_backlog_that_no_lane_took_up_the_last_time_is_enough(world: World) -> None:
    await days(world)
    await world.rules(DAILY.replace("0 9 * * *", "* * * * *"))
    for minute in range(90):
        world.clock.now = START_MS + minute * 60_000
        await see_to_schedules(world.scheduling, world.clock())
    assert len(await world.queued()) == 89
    await world.drain()
    assert (await firings(world), chased(world)) == (1, {"old"})


async def test_a_clock_that_was_far_ahead_keeps_no_schedule_waiting(world: World) -> None:
    await days(world)
    for ms in (0, 24 * 400 * HOUR_MS, HOUR_MS):
        await at(world, ms)
    before = await firings(world)
    await at(world, 9 * HOUR_MS)
    assert await firings(world) == before + 1
