"""`after` on actions: a step waits for its time, in the journal, and holds up nothing but its own run."""

from __future__ import annotations

import contextlib

import pytest

from engine.flow.executing import CLOCKS_MS
from engine.flow.plan import due_at
from engine.flow.stores import Claim
from engine.store.journal import RedisJournal
from engine.store.trim import trim
from tests.flow.conftest import DAY_MS, RETENTION_MS, World
from tests.flow.fakes import FakeProvider, mail
from tests.flow.test_dying import Killed, mine

HOUR_MS = 3_600_000
REPLY = (
    "{when: {label: INBOX}, then: [{label: {add: Seen, remove: INBOX}}, {reply: {template: hi, after: 2h}}]}"
)


async def delayed(world: World) -> int:
    return int(await world.base.redis.zcard(world.base.key("delayed")))


async def until_due(world: World) -> int:
    """Carry the only run on once, and give when it says to go on."""
    again = await world.execute((await world.run()).run.id)
    assert again is not None
    return again


async def test_a_step_waits_for_its_time_and_what_stands_before_it_does_not(world: World) -> None:
    await world.rules(REPLY)
    world.provider.deliver("1")
    await world.read_and_drain()
    planned = world.clock()
    assert world.provider.labels("1") == {"Seen", "UNREAD"}
    assert await until_due(world) == planned + 2 * HOUR_MS
    assert (await world.run()).attempts == 0
    assert await delayed(world) == 1
    world.clock.now = planned + 2 * HOUR_MS - 1
    assert await until_due(world) == planned + 2 * HOUR_MS
    assert not world.provider.sent
    world.clock.forward(1)
    assert await world.waking.runs(world.clock()) == 1
    assert await world.execute((await world.run()).run.id) is None
    assert len(world.provider.sent) == 1
    assert (await world.run()).state == "done"
    assert await delayed(world) == 0


@pytest.mark.parametrize(
    ("action", "labels"),
    [
        ("{label: {add: Old, after: 1d}}", {"INBOX", "UNREAD", "Old"}),
        ("{archive: {after: 1d}}", {"UNREAD"}),
        ("{mark: {read: true, after: 1d}}", {"INBOX"}),
        ("{trash: {after: 1d, scope: thread}}", {"UNREAD", "TRASH"}),
    ],
    ids=["label", "archive", "mark", "trash of a thread"],
)
async def test_label_changes_wait_as_well(world: World, action: str, labels: set[str]) -> None:
    await world.rules(f"{{when: {{label: INBOX}}, then: [{action}]}}")
    world.provider.deliver("1")
    await world.read_and_drain()
    assert world.provider.labels("1") == {"INBOX", "UNREAD"}
    world.clock.now = await until_due(world)
    await world.execute_all()
    assert world.provider.labels("1") == labels


@pytest.mark.parametrize(
    "then",
    [
        pytest.param("{label: {add: Late, after: 1d}}", id="after a while"),
        pytest.param("{reply: {template: hi, mode: approve}}, {label: Late}", id="once a person approves"),
    ],
)
async def test_later_rules_do_not_see_labels_that_are_to_come(world: World, then: str) -> None:
    await world.rules(
        f"{{when: {{label: INBOX}}, then: [{then}]}}",
        "{when: {label: Late}, then: [{label: Wrong}]}",
    )
    world.provider.deliver("1")
    await world.read_and_drain()
    assert await world.matched() == [("1", "r1")]


async def test_it_is_done_with_the_rules_that_decided_it(world: World) -> None:
    await world.rules(REPLY)
    world.provider.deliver("1")
    await world.read_and_drain()
    due = await until_due(world)
    await world.rules(
        "{when: {subject: nothing}, then: [archive: true]}",
        templates={"other.md": "---\nsubject: x\n---\nx\n"},
    )
    world.clock.forward(HOUR_MS)
    await trim(world.base, world.clock(), 1)
    world.clock.now = due
    await world.execute_all()
    assert len(world.provider.sent) == 1


async def test_a_message_that_is_gone_by_then_is_passed_over(world: World) -> None:
    await world.rules(REPLY)
    world.provider.deliver("1")
    await world.read_and_drain()
    world.clock.now = await until_due(world)
    world.provider.delete_message("1")
    await world.execute_all()
    recorded = await world.run()
    assert (recorded.state, recorded.receipts[1]["outcome"]) == ("done", "skipped")
    assert not world.provider.sent


async def test_a_deletion_does_not_wait_for_what_is_put_off(world: World) -> None:
    await world.rules(REPLY, "{when: {label: Seen}, then: [delete: {permanent: true}]}")
    world.provider.deliver("1")
    await world.read_and_drain()
    await world.execute_all()
    world.clock.forward(DAY_MS // 24)
    await world.execute_all()
    assert world.provider.messages == {}


async def test_a_deletion_waits_for_what_is_due_by_now(world: World) -> None:
    await world.rules(
        "{when: {label: INBOX}, then: [{reply: {template: hi, after: 2h}}]}",
        "{when: {label: INBOX}, then: [delete: {permanent: true, after: 3h}]}",
    )
    world.provider.deliver("1")
    await world.read_and_drain()
    await world.execute_all()
    world.clock.forward(3 * HOUR_MS)
    first, second = await world.runs()
    await world.execute(second.run.id)
    assert "1" in world.provider.messages
    await world.execute(first.run.id)
    world.clock.forward(HOUR_MS)
    await world.execute(second.run.id)
    assert (len(world.provider.sent), world.provider.messages) == (1, {})


async def test_a_worker_that_dies_before_it_gives_the_claim_back_costs_no_look_up(world: World) -> None:
    await world.rules(REPLY)
    world.provider.deliver("1")
    await world.read_and_drain()
    run = (await world.run()).run.id
    now = world.clock()
    assert isinstance(await world.journal.claim(run, now, now + 2_000, world.margin), Claim)
    world.clock.forward(2_000 + world.margin)
    world.clock.now = await until_due(world)
    await world.execute(run)
    assert (len(world.provider.sent), world.provider.calls["find"]) == (1, 0)


async def test_a_lost_answer_is_looked_up_from_the_time_on_at_which_it_was_due(world: World) -> None:
    await world.rules(REPLY)
    world.provider.deliver("1")
    await world.read_and_drain()
    due = world.clock.now = await until_due(world)
    world.provider.lost_answers = 1
    world.clock.now = await until_due(world)
    await world.execute_all()
    assert len(world.provider.sent) == 1
    assert world.provider.looked_back_to is not None
    assert world.provider.looked_back_to.timestamp() * 1000 == due - CLOCKS_MS


async def test_what_waits_longer_than_retention_is_kept(world: World) -> None:
    await world.rules("{when: {label: INBOX}, then: [{label: {add: Old, after: 90d}}]}")
    world.provider.deliver("1", mail("old"))
    await world.read_and_drain()
    due = await until_due(world)
    world.clock.now = due
    await trim(world.base, world.clock(), RETENTION_MS)
    await world.execute_all()
    assert "Old" in world.provider.labels("1")


DYING: list[tuple[type, str]] = [(RedisJournal, "claim"), (RedisJournal, "delay"), (FakeProvider, "send")]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("owner", "name"), DYING, ids=[name for _, name in DYING])
async def test_whatever_call_it_dies_at_it_is_sent_once_and_not_too_soon(
    world: World, monkeypatch: pytest.MonkeyPatch, owner: type, name: str, when: str
) -> None:
    await world.rules(REPLY)
    world.provider.deliver("1")
    await world.read_and_drain()
    due = due_at((await world.run()).run, 1)
    died = mine(monkeypatch, owner, name, when)
    while world.clock() < due + HOUR_MS:
        with contextlib.suppress(Killed):
            await world.execute_all()
        assert world.clock() >= due or not world.provider.sent
        world.clock.forward(HOUR_MS // 4)
    assert died == [name]
    assert ((await world.run()).state, len(world.provider.sent)) == ("done", 1)
