"""Label groups: together, halved where refused, and sends never wait for their success."""

from __future__ import annotations

import json

import pytest

from engine.errors import LeaseLost, RateLimited, Rejected, Unauthorized, Unavailable
from engine.mail.events import EventKind
from tests.flow.conftest import World
from tests.flow.fakes import BOX, mail

ANSWER = "{when: {label: INBOX}, then: [label: A, reply: hi]}"


async def open_keys(world: World) -> list[str]:
    return [one.run.key for one in await world.runs() if one.state == "open"]


async def test_messages_of_a_batch_share_a_call_and_the_later_rule_wins(world: World) -> None:
    await world.rules(
        "{when: {label: INBOX}, then: [label: {add: A, remove: INBOX}]}",
        "{when: {label: A}, then: [label: {add: B, remove: A}]}",
    )
    for key in "123":
        world.provider.deliver(key)
    await world.read_and_drain()
    assert world.provider.changes == [(("1", "2", "3"), ("B",), ("INBOX",))]
    assert {one.state for one in await world.runs()} == {"done"}


async def test_a_refused_group_is_halved_down_to_the_message_at_fault(world: World) -> None:
    await world.rules("{when: {label: INBOX}, then: [label: A]}")
    for number in range(1, 9):
        world.provider.deliver(str(number))
    world.provider.poison = frozenset({"3"})
    await world.read_and_drain()
    changed = sorted(change[0] for change in world.provider.changes)
    assert changed == [("1", "2"), ("4",), ("5", "6", "7", "8")]
    states = {one.run.key: one.state for one in await world.runs()}
    assert [key for key, state in states.items() if state != "done"] == ["3"]
    assert states["3"] == "dead"
    assert await world.lanes.groups(BOX) == []


async def test_a_message_that_went_away_does_not_keep_the_others(world: World) -> None:
    await world.rules("{when: {label: INBOX}, then: [label: A]}")
    for key in "123":
        world.provider.deliver(key)
    await world.poll()
    world.provider.delete_message("2")
    await world.drain()
    receipts = {one.run.key: one.receipts[0]["outcome"] for one in await world.runs()}
    assert receipts == {"1": "done", "2": "skipped", "3": "done"}


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(Unavailable("down"), id="the service is down"),
        pytest.param(RateLimited("slow", until=0), id="the service is busy"),
        pytest.param(Unauthorized("no"), id="the credentials are refused"),
    ],
)
async def test_sends_start_after_the_first_label_attempt_whatever_its_outcome(
    world: World, error: Exception
) -> None:
    await world.rules(ANSWER)
    world.provider.deliver("1")
    world.provider.failures["change_labels"] = [error]
    assert await world.read_and_drain() is None
    assert await world.waking.lanes(world.clock()) == 0
    assert await open_keys(world) == ["1"]
    await world.execute_all()
    assert len(world.provider.sent) == 1
    assert (await world.run()).state == "open"
    world.clock.forward(60_000)
    assert await world.waking.lanes(world.clock()) == 1
    await world.drain()
    assert (await world.run()).state == "done"
    assert "A" in world.provider.labels("1")


async def test_sends_start_for_all_of_a_group_that_was_refused(world: World) -> None:
    await world.rules(ANSWER)
    for key in "1234":
        world.provider.deliver(key)
    world.provider.poison = frozenset({"1"})
    await world.poll()

    async def fail_next() -> None:
        world.provider.failures["change_labels"] = [Unavailable("down")]

    world.provider.meanwhile["change_labels"] = fail_next
    world.provider.failures["change_labels"] = []
    await world.drain()
    world.provider.failures.clear()
    assert await open_keys(world) == ["1", "2", "3", "4"]


async def test_a_send_goes_out_though_its_labels_are_refused_for_good(world: World) -> None:
    await world.rules(ANSWER)
    world.provider.deliver("1")
    world.provider.poison = frozenset({"1"})
    await world.read_and_drain()
    await world.execute_all()
    assert len(world.provider.sent) == 1
    run = await world.run()
    assert (run.state, run.receipts[0]["outcome"], run.receipts[1]["outcome"]) == ("dead", "failed", "done")
    assert run.why == "a message is refused"


async def test_a_label_behind_a_send_is_changed_after_it(world: World) -> None:
    await world.rules("{when: {label: INBOX}, then: [reply: hi, label: Answered]}")
    world.provider.deliver("1")
    await world.read_and_drain()
    assert world.provider.changes == []
    await world.execute_all()
    assert world.provider.changes == [(("1",), ("Answered",), ())]
    assert (await world.run()).state == "done"


async def test_the_next_batch_is_decided_after_the_labels_of_the_one_before(world: World) -> None:
    await world.rules(
        "{when: {label: INBOX}, then: [label: A]}",
        "{event: message.updated, when: {all: [label: A, size: {gte: 0}]}, then: [label: B]}",
    )
    world.provider.deliver("1", mail("one"))
    world.provider.failures["change_labels"] = [Unavailable("down")]
    await world.read_and_drain()
    world.provider.report(EventKind.MESSAGE_UPDATED, "1")
    await world.read_and_drain()
    assert world.provider.labels("1") >= {"A", "B"}


async def test_a_group_settled_by_somebody_else_is_not_settled_again(world: World) -> None:
    await world.rules("{when: {label: INBOX}, then: [label: A]}")
    world.provider.deliver("1")
    await world.poll()

    async def taken_over() -> None:
        await world.base.redis.set(world.base.key("lease", BOX), "somebody else")

    world.provider.meanwhile["change_labels"] = taken_over
    with pytest.raises(LeaseLost):
        await world.drain()
    assert (await world.run()).state == "planned"
    assert len(await world.lanes.groups(BOX)) == 1
    await world.base.redis.delete(world.base.key("lease", BOX))
    await world.drain()
    assert (await world.run()).state == "done"


async def test_a_message_whose_labels_cannot_be_changed_for_now_keeps_no_other_waiting(world: World) -> None:
    await world.rules("{when: {subject: one}, then: [label: A]}", "{when: {subject: two}, then: [label: B]}")
    world.provider.deliver("1", mail("one"))
    world.provider.deliver("2", mail("two"))
    world.provider.failures["change_labels"] = [RateLimited("busy", until=world.clock() / 1000 + 30)]
    await world.read_and_drain()
    assert [change[0] for change in world.provider.changes] == [("2",)]
    world.provider.deliver("3", mail("two"))
    await world.read_and_drain()
    assert [change[0] for change in world.provider.changes] == [("2",), ("3",)]


async def test_labels_that_fail_for_a_day_become_a_dead_letter(world: World) -> None:
    await world.rules("{when: {label: INBOX}, then: [label: A]}")
    world.provider.deliver("1")
    world.provider.failures["change_labels"] = [Unavailable("down"), Unavailable("still down")]
    await world.read_and_drain()
    world.clock.forward(86_400_000)
    await world.drain()
    assert (await world.run()).state == "dead"
    assert await world.lanes.groups(BOX) == []


async def test_a_later_change_of_a_message_waits_for_the_earlier_one(world: World) -> None:
    await world.rules(
        "{when: {label: INBOX}, then: [label: {add: A}]}",
        "{event: message.updated, when: {size: {gte: 0}}, then: [label: {remove: A, add: B}]}",
    )
    world.provider.deliver("1")
    world.provider.failures["change_labels"] = [RateLimited("busy", until=world.clock() / 1000 + 30)]
    await world.read_and_drain()
    world.provider.report(EventKind.MESSAGE_UPDATED, "1")
    await world.read_and_drain()
    assert world.provider.changes == []
    world.clock.forward(60_000)
    await world.drain()
    assert [change[1] for change in world.provider.changes] == [("A",), ("B",)]


async def test_what_is_decided_meanwhile_sees_the_labels_that_are_still_to_come(world: World) -> None:
    await world.rules(
        "{when: {subject: one}, then: [label: {add: Todo}]}",
        "{event: message.updated, when: {label: Todo}, then: [label: {add: Done, remove: Todo}]}",
    )
    world.provider.deliver("1", mail("one"))
    world.provider.failures["change_labels"] = [RateLimited("busy", until=world.clock() / 1000 + 30)]
    await world.read_and_drain()
    world.provider.report(EventKind.MESSAGE_UPDATED, "1")
    await world.read_and_drain()
    world.clock.forward(60_000)
    await world.drain()
    assert world.provider.labels("1") >= {"Done"}
    assert "Todo" not in world.provider.labels("1")


async def test_a_call_beside_one_that_broke_down_ends_before_the_lane_is_given_back(world: World) -> None:
    await world.rules("{when: {subject: one}, then: [label: A]}", "{when: {subject: two}, then: [label: B]}")
    world.provider.deliver("1", mail("one"))
    world.provider.deliver("2", mail("two"))
    world.provider.failures["change_labels"] = [ConnectionError("Redis went away")]
    with pytest.raises(ConnectionError):
        await world.read_and_drain()
    assert [change[0] for change in world.provider.changes] == [("2",)]
    await world.drain()
    assert {one.state for one in await world.runs()} == {"done"}


async def test_refused_credentials_break_no_batch_into_pieces(world: World) -> None:
    await world.rules("{when: {label: INBOX}, then: [label: A]}")
    for number in range(20):
        world.provider.deliver(str(number))
    world.provider.failures["change_labels"] = [Unauthorized("no")] * 9
    await world.read_and_drain()
    for _ in range(9):
        world.clock.forward(60_000)
        await world.drain()
    assert [len(change[0]) for change in world.provider.changes] == [20]


async def test_a_late_label_change_that_fails_leaves_no_footstep_for_ever(world: World) -> None:
    await world.rules("{when: {label: INBOX}, then: [reply: hi, label: Answered]}")
    world.provider.deliver("1")
    await world.read_and_drain()
    world.provider.failures["change_labels"] = [Rejected("never")]
    await world.execute_all()
    assert (await world.run()).state == "dead"
    steps = await world.lanes.footsteps(BOX, ["1|+Answered"])
    assert steps["1|+Answered"] > 0


async def test_a_group_that_an_older_version_wrote_is_settled_with_its_way_back(world: World) -> None:
    await world.rules("{when: {label: INBOX}, then: [label: A]}")
    world.provider.deliver("1")
    world.provider.failures["change_labels"] = [Unavailable("down")]
    await world.read_and_drain()
    key = world.base.key("groups", BOX)
    (text,) = await world.base.redis.lrange(key, 0, -1)
    back = json.dumps('{"labels":[{"keys":["1"],"add":[],"remove":["A"]}]}')
    older = text.replace('"steps":[0],', f'"steps":[0],"back":[{back}],')
    assert older != text
    await world.base.redis.lset(key, 0, older)
    world.clock.forward(10_000)
    await world.drain()
    assert await world.lanes.groups(BOX) == []
    (receipt,) = (await world.run()).receipts.values()
    assert receipt == {"outcome": "done", "undo": json.loads(back)}
