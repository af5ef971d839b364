"""What is to happen later, as people see it, and cancelling it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from engine.errors import Unavailable
from engine.flow.scheduling import see_to_schedules
from engine.store.base import Base
from engine.store.pending import Pending, cancel, pending
from tests.flow.conftest import World
from tests.flow.fakes import BOX, START_MS, Clock, FakeProvider

HOUR_MS = 3_600_000
RULES = (
    "{id: wait, when: {label: INBOX},"
    " then: [{label: Seen}, {reply: {template: hi, after: 2h}}, {archive: true}]}",
    "{id: late, event: message.unanswered, after: 48h, when: {label: INBOX}, then: [{label: Late}]}",
    "{id: daily, event: schedule, schedule: {cron: '0 9 * * *', timezone: Europe/Berlin}, when: {label: X},"
    " then: [{label: Y}]}",
)


@pytest.fixture
async def world(redis: Redis) -> AsyncIterator[World]:
    clock = Clock()
    made = World(Base(redis), clock, FakeProvider(clock))
    await made.start()
    await made.rules(*RULES)
    made.provider.deliver("1")
    await made.read_and_drain()
    await made.execute_all()
    await see_to_schedules(made.scheduling, clock())
    yield made
    await made.calling.aclose()


async def shown(world: World) -> dict[str, Pending]:
    return {one.what: one async for one in pending(world.base)}


async def test_each_says_when_and_what(world: World) -> None:
    found = await shown(world)
    told = {what: (one.due - START_MS, one.mailbox, one.rule, one.message) for what, one in found.items()}
    assert told == {
        "schedule": (8 * HOUR_MS, BOX, "daily", ""),
        "step 1: send": (2 * HOUR_MS + 1_000, BOX, "wait", "1"),
        "message.unanswered.172800": (48 * HOUR_MS, BOX, "", "1"),
    }


async def test_a_cancelled_timer_never_fires(world: World) -> None:
    one = (await shown(world))["message.unanswered.172800"]
    assert await cancel(world.base, one, "ann", world.clock())
    assert not await cancel(world.base, one, "ann", world.clock())
    world.clock.forward(48 * HOUR_MS)
    assert await world.waking.timers(world.clock()) == 0


async def test_a_cancelled_run_does_nothing_more_and_says_why(world: World) -> None:
    one = (await shown(world))["step 1: send"]
    assert await cancel(world.base, one, "ann", world.clock())
    (run,) = await world.runs()
    assert run.state == "done"
    assert run.receipts[0]["outcome"] == "done"
    assert run.receipts[1] == run.receipts[2] == {"outcome": "held", "why": "cancelled by ann"}
    world.clock.forward(3 * HOUR_MS)
    assert await world.waking.runs(world.clock()) == 0
    assert not await cancel(world.base, one, "ann", world.clock())


async def test_what_has_begun_cannot_be_cancelled(world: World) -> None:
    one = (await shown(world))["step 1: send"]
    now = world.clock.now = one.due
    await world.journal.claim((await world.run()).run.id, now, now + 2_000, world.margin)
    assert not await cancel(world.base, one, "ann", now)


async def test_a_schedule_ends_with_its_rule_alone(world: World) -> None:
    assert not await cancel(world.base, (await shown(world))["schedule"], "ann", world.clock())


async def test_label_changes_under_way_are_left_to_their_batch(world: World) -> None:
    world.provider.failures["change_labels"] = [Unavailable("no")]
    world.provider.deliver("2")
    await world.read_and_drain()
    await world.execute_all()
    one = next(
        each for each in [one async for one in pending(world.base)] if each.run and each.message == "2"
    )
    assert await cancel(world.base, one, "ann", world.clock())
    assert one.id not in {each.id async for each in pending(world.base)}
    world.clock.forward(60_000)
    await world.drain()
    run = next(one for one in await world.runs() if one.run.key == "2")
    assert [run.receipts[step]["outcome"] for step in range(3)] == ["done", "held", "held"]
    assert run.state == "done"


async def test_a_send_at_a_time_that_we_keep_is_shown_with_that_time(world: World) -> None:
    world.provider.schedules = False
    await world.rules(
        "{id: morning, when: {subject: {contains: m3}}, then: [reply: {template: hi, at: '08:00'}]}"
    )
    world.provider.deliver("3")
    await world.read_and_drain()
    await world.execute_all()
    shown = {one.rule: one.due - START_MS async for one in pending(world.base)}
    assert shown["morning"] == 8 * HOUR_MS
