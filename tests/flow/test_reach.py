"""Actions that reach a thread, deletions, and what receipts say for taking things back."""

from __future__ import annotations

import json

import pytest

from engine.errors import OutcomeUnknown, Rejected, Unavailable
from engine.flow.inverse import way_back
from engine.flow.recorded import Recorded
from tests.flow.conftest import World
from tests.flow.fakes import BOX, mail

ARCHIVE = "{when: {subject: last}, then: [archive: {scope: thread}]}"
DELETE = "{when: {label: INBOX}, then: [delete: {permanent: true}]}"


async def a_thread(world: World, *rules: str) -> str:
    """Three messages in one thread, the last of which the rules speak of; the run's id."""
    await world.rules(*rules)
    world.provider.threads = {"1": "t", "2": "t", "3": "t"}
    world.provider.deliver("1", mail("first"), ["INBOX", "Done"])
    world.provider.deliver("2", mail("second"), ["Done"])
    world.provider.deliver("3", mail("last"))
    world.provider.deliver("4", mail("other"))
    await world.read_and_drain()
    return (await world.run()).run.id


def undo(recorded: Recorded, step: int = 0) -> dict[str, object]:
    return dict(way_back(recorded, step))


async def test_a_whole_thread_is_changed_in_one_call_and_every_message_is_named(world: World) -> None:
    run = await a_thread(world, ARCHIVE)
    assert await world.execute(run) is None
    assert [sorted(world.provider.labels(key)) for key in "1234"] == [
        ["Done"],
        ["Done"],
        ["UNREAD"],
        ["INBOX", "UNREAD"],
    ]
    assert (world.provider.calls["change_thread"], world.provider.calls["change_labels"]) == (1, 0)
    recorded = await world.run()
    assert recorded.run.thread == "t"
    assert json.loads(recorded.receipts[0]["messages"]) == ["1", "2", "3"]
    assert undo(recorded) == {"labels": [{"keys": ["1", "3"], "add": ["INBOX"], "remove": []}]}


async def test_our_own_change_of_a_thread_is_no_news(world: World) -> None:
    heard = "{event: label.removed, when: {size: {gte: 0}}, then: [label: Heard]}"
    run = await a_thread(world, ARCHIVE, heard)
    await world.execute(run)
    await world.read_and_drain()
    assert len(await world.runs()) == 1


async def test_what_was_before_survives_a_death_behind_the_call(world: World) -> None:
    run = await a_thread(world, ARCHIVE)
    world.provider.failures["changed_thread"] = [OutcomeUnknown("the worker died")]
    again = await world.execute(run)
    assert again is not None
    assert "INBOX" not in world.provider.labels("1")
    world.clock.now = again
    assert await world.execute(run) is None
    assert undo(await world.run()) == {"labels": [{"keys": ["1", "3"], "add": ["INBOX"], "remove": []}]}


async def test_a_message_that_comes_behind_the_look_is_named_as_unknown(world: World) -> None:
    run = await a_thread(world, ARCHIVE)
    world.provider.threads["5"] = "t"

    async def arrives() -> None:
        world.provider.deliver("5", mail("late"))

    world.provider.meanwhile["change_thread"] = arrives
    await world.execute(run)
    recorded = await world.run()
    assert json.loads(recorded.receipts[0]["messages"]) == ["1", "2", "3", "5"]
    assert undo(recorded)["unknown"] == ["5"]


async def test_labels_that_go_with_the_batch_say_what_takes_them_back(world: World) -> None:
    await world.rules(
        "{when: {label: INBOX}, then: [{label: {add: [A, B], remove: [UNREAD]}}, {label: {add: [B, C]}}]}"
    )
    world.provider.deliver("1", mail("m"), ["INBOX", "A"])
    await world.read_and_drain()
    recorded = await world.run()
    assert undo(recorded) == {"labels": [{"keys": ["1"], "add": [], "remove": ["B"]}]}
    assert undo(recorded, 1) == {"labels": [{"keys": ["1"], "add": [], "remove": ["C"]}]}


async def test_a_label_behind_a_send_says_what_takes_it_back(world: World) -> None:
    await world.rules("{when: {label: INBOX}, then: [{reply: hi}, {label: {add: [A], remove: [INBOX]}}]}")
    world.provider.deliver("1", mail("m"), ["INBOX", "A"])
    await world.read_and_drain()
    await world.execute_all()
    recorded = await world.run()
    assert undo(recorded) == {"none": "what was sent cannot be called back"}
    assert undo(recorded, 1) == {"labels": [{"keys": ["1"], "add": ["INBOX"], "remove": []}]}


async def test_a_message_is_deleted_for_good_and_nothing_takes_that_back(world: World) -> None:
    await world.rules(DELETE)
    world.provider.deliver("1")
    await world.read_and_drain()
    await world.execute_all()
    assert world.provider.messages == {}
    recorded = await world.run()
    assert (recorded.state, list(undo(recorded))) == ("done", ["none"])


async def test_a_lost_answer_to_a_deletion_does_no_harm(world: World) -> None:
    await world.rules(DELETE)
    world.provider.deliver("1")
    await world.read_and_drain()
    run = (await world.run()).run.id
    world.provider.failures["deleted"] = [OutcomeUnknown("the answer was lost")]
    again = await world.execute(run)
    assert again is not None
    world.clock.now = again
    assert await world.execute(run) is None
    assert (await world.run()).state == "done"


async def test_a_deletion_waits_for_every_other_run_of_its_message(world: World) -> None:
    await world.rules(DELETE, "{when: {label: INBOX}, then: [reply: hi]}")
    world.provider.deliver("1")
    await world.read_and_drain()
    delete, reply = sorted(await world.runs(), key=lambda one: one.run.rule)
    world.provider.failures["send"] = [Unavailable("down")]
    again = await world.execute(reply.run.id)
    assert again is not None
    later = await world.execute(delete.run.id)
    assert later is not None
    assert "1" in world.provider.messages
    world.clock.now = max(again, later)
    await world.execute(reply.run.id)
    assert await world.execute(delete.run.id) is None
    assert (world.provider.messages, len(world.provider.sent)) == ({}, 1)


async def test_a_dead_run_keeps_its_message_until_a_person_has_settled_it(world: World) -> None:
    await world.rules(DELETE, "{when: {label: INBOX}, then: [reply: hi]}")
    world.provider.deliver("1")
    await world.read_and_drain()
    delete, reply = sorted(await world.runs(), key=lambda one: one.run.rule)
    world.provider.failures["send"] = [Rejected("no")]
    await world.execute(reply.run.id)
    later = await world.execute(delete.run.id)
    assert later is not None
    await world.journal.dismiss(reply.run.id, world.clock())
    world.clock.now = later
    assert await world.execute(delete.run.id) is None


async def test_two_deletions_of_one_message_do_not_wait_for_each_other(world: World) -> None:
    await world.rules(DELETE, DELETE)
    world.provider.deliver("1")
    await world.read_and_drain()
    await world.execute_all()
    world.clock.forward(60_000)
    await world.execute_all()
    assert {one.state for one in await world.runs()} == {"done"}


async def test_a_thread_is_deleted_as_it_was_looked_at(world: World) -> None:
    rule = "{when: {subject: last}, then: [delete: {permanent: true, scope: thread}]}"
    run = await a_thread(world, rule)
    await world.execute(run)
    assert set(world.provider.messages) == {"4"}
    assert json.loads((await world.run()).receipts[0]["messages"]) == ["1", "2", "3"]


@pytest.mark.parametrize("action", ["untrash", "spam", "trash", "archive"])
async def test_a_place_is_changed_by_labels(world: World, action: str) -> None:
    await world.rules(f"{{event: label.added, when: {{label: Go}}, then: [{action}: true]}}")
    world.provider.deliver("1", mail("m"), ["INBOX", "TRASH"])
    await world.read_and_drain()
    world.provider.relabel("1", ["Go"])
    await world.read_and_drain()
    wanted = {
        "untrash": {"INBOX", "Go"},
        "spam": {"SPAM", "TRASH", "Go"},
        "trash": {"TRASH", "Go"},
        "archive": {"TRASH", "Go"},
    }
    assert world.provider.labels("1") == wanted[action]
    assert (await world.run()).run.mailbox == BOX
