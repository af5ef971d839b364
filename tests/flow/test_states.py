"""States of a mailbox: one that is not in use is left alone and named; one that answers by itself is let."""

from __future__ import annotations

from itertools import pairwise

import pytest

from engine.errors import Rejected, Unavailable
from engine.flow.execute import PAUSE_MS as LATER_MS
from engine.flow.poll import LEARN_MS, PAUSE_MS, RETRY_MS, is_time_to_learn
from engine.flow.ports import Period
from engine.mail.events import EventKind
from tests.flow.conftest import World
from tests.flow.fakes import BOX, START_MS

REPLY = "{when: {subject: hello}, then: [{label: seen}, {reply: hi}]}"


async def named(world: World) -> str:
    return (await world.mailboxes.paused()).get(BOX, (0, ""))[1]


async def test_a_mailbox_that_is_not_active_is_paused_and_named(world: World) -> None:
    world.provider.status = "suspended"
    world.provider.deliver("1")
    world.clock.forward(LEARN_MS)
    assert await world.poll() == world.clock() + PAUSE_MS
    assert "suspended" in await named(world)
    assert await world.queued() == []


async def test_a_mailbox_is_never_taken_into_service_while_it_is_not_active(world: World) -> None:
    await world.base.redis.flushdb()
    world.provider.status = "preProvision"
    assert await world.poll() == world.clock() + PAUSE_MS
    assert await world.mailboxes.cursor(BOX) is None


def test_profiles_are_read_once_an_hour_and_not_all_at_once() -> None:
    boxes = [f"box{number}@acme.example" for number in range(300)]
    minutes = [START_MS + minute * 60_000 for minute in range(61)]
    learned = [sum(is_time_to_learn(box, before, now) for box in boxes) for before, now in pairwise(minutes)]
    assert sum(learned) == len(boxes)
    assert max(learned) < len(boxes) / 10


async def test_a_profile_that_cannot_be_had_keeps_no_mail_from_being_read(world: World) -> None:
    world.provider.deliver("1")
    world.provider.failures["profile"] = [Unavailable("the vacation reply cannot be read")]
    world.clock.forward(LEARN_MS)
    assert await world.poll() is None
    assert await world.queued() == ["1"]
    assert await named(world) == ""


async def test_a_mailbox_that_was_not_active_is_not_read_before_its_profile_is(world: World) -> None:
    world.provider.status = "suspended"
    world.clock.forward(LEARN_MS)
    await world.poll()
    world.provider.deliver("1")
    world.provider.failures["profile"] = [Unavailable("down")]
    assert await world.poll() == world.clock() + RETRY_MS
    assert await world.queued() == []


async def test_nothing_is_missed_once_it_is_active_again(world: World) -> None:
    await world.rules("{when: {subject: hello}, then: [{label: seen}]}")
    world.provider.status = "suspended"
    world.clock.forward(LEARN_MS)
    await world.poll()
    world.provider.deliver("1", b"Subject: hello\r\n\r\n")
    world.provider.status = "active"
    assert await world.read_and_drain() is None
    assert await named(world) == ""
    assert "seen" in world.provider.labels("1")


async def test_what_was_decided_waits_until_the_mailbox_is_active(world: World) -> None:
    await world.rules(REPLY)
    world.provider.deliver("1", b"From: ann@x.example\r\nSubject: hello\r\n\r\n")
    world.provider.failures["change_labels"] = [Rejected("no such user")]
    world.clock.forward(1_000)
    await world.poll()
    world.provider.status = "suspended"
    world.clock.forward(LEARN_MS)
    await world.poll()
    assert await world.drain() == world.clock() + 60_000
    assert world.provider.calls["change_labels"] == 0
    world.provider.status, world.provider.failures = "active", {}
    await world.read_and_drain()
    run = (await world.run()).run.id
    world.provider.status = "suspended"
    world.clock.forward(LEARN_MS)
    await world.poll()
    assert await world.execute(run) == world.clock() + LATER_MS
    assert world.provider.sent == []
    world.provider.status = "active"
    world.clock.forward(LATER_MS)
    await world.poll()
    await world.execute(run)
    assert len(world.provider.sent) == 1


@pytest.mark.parametrize(
    ("vacation", "held"),
    [
        pytest.param(Period(), True, id="on without an end"),
        pytest.param(Period(end=START_MS + 2 * LEARN_MS), True, id="on and to end later"),
        pytest.param(
            Period(start=START_MS + LEARN_MS, end=0), True, id="begun between two reads of the profile"
        ),
        pytest.param(Period(end=START_MS + 1), False, id="over"),
        pytest.param(Period(start=START_MS + 3 * LEARN_MS), False, id="still to come"),
        pytest.param(None, False, id="switched off"),
    ],
)
async def test_no_answer_of_ours_stands_beside_the_mailboxs_own(
    world: World, vacation: Period | None, held: bool
) -> None:
    await world.rules(REPLY)
    world.provider.vacation = vacation
    world.clock.forward(LEARN_MS)
    world.provider.deliver("1", b"From: ann@x.example\r\nSubject: hello\r\n\r\n")
    await world.read_and_drain()
    assert "seen" in world.provider.labels("1")
    found = await world.run()
    why = found.receipts.get(1, {}).get("why", "")
    assert why == ("the mailbox's own vacation reply is on" if held else "")


async def test_a_vacation_reply_that_is_switched_on_is_known_before_later_mail_is_decided(
    world: World,
) -> None:
    await world.rules(REPLY)
    world.provider.vacation = Period()
    world.provider.report(EventKind.SETTINGS_CHANGED, changed=["vacation"])
    world.provider.deliver("1", b"From: ann@x.example\r\nSubject: hello\r\n\r\n")
    await world.read_and_drain()
    assert (await world.run()).state == "done"
    assert world.provider.sent == []


async def test_a_label_that_is_made_costs_no_look_at_the_profile(world: World) -> None:
    looked = world.provider.calls["profile"]
    world.provider.report(EventKind.SETTINGS_CHANGED, changed=["userLabels"])
    await world.read_and_drain()
    assert world.provider.calls["profile"] == looked
