"""Events that rules set off: once, about the same message, and never round for ever."""

from __future__ import annotations

import json

import pytest

from engine.errors import RuleError
from engine.flow.emitting import MAX_DEPTH
from engine.flow.stores import Settled
from engine.mail.events import Event, EventKind
from engine.rules.findings import RuleErrors
from engine.rules.loader import load_rules
from tests.flow.conftest import World
from tests.flow.fakes import mail

FOUND = (
    "{when: {subject: {regex: '(?P<order>[0-9]+)'}}, then: [emit: {event: order-found,"
    " payload: {order: '{{ captures.order }}', by: '{{ message.sender }}'}}]}"
)
HEARD = (
    "{event: emitted.order-found, then: [label: Order],"
    " when: {all: [{payload: {path: order, is: '48211'}}, {from: ann@x.example}]}}"
)


async def settle_all(world: World) -> None:
    """Carry out and decide until nothing is left to do."""
    for _ in range(2 * MAX_DEPTH + 4):
        await world.execute_all()
        await world.read_and_drain()


async def test_a_rule_hears_what_another_sets_off_about_the_same_message(world: World) -> None:
    await world.rules(FOUND, HEARD)
    world.provider.deliver("1", mail("Order 48211"))
    await world.read_and_drain()
    await settle_all(world)
    first, second = sorted(await world.runs(), key=lambda one: one.run.rule)
    assert (first.state, second.state) == ("done", "done")
    assert "Order" in world.provider.labels("1")
    assert (second.run.kind, second.run.depth, second.run.origin) == (
        EventKind("emitted.order-found"),
        1,
        "message.received",
    )
    assert first.receipts[0]["event"] == "emitted.order-found"
    assert list(json.loads(first.receipts[0]["undo"])) == ["none"]


async def test_an_event_is_appended_once_with_its_receipt_whoever_says_it_again(world: World) -> None:
    await world.rules(FOUND)
    world.provider.deliver("1", mail("Order 48211"))
    await world.read_and_drain()
    run = (await world.run()).run
    claim = await world.journal.claim(run.id, world.clock(), world.clock() + 1_000, 1_000)
    assert claim is not None
    assert not isinstance(claim, int)
    event = Event(EventKind("emitted.order-found"), run.mailbox, 0, run.key, changed=("x",))
    for _ in range(3):
        settled = Settled(run.id, 0, {"outcome": "done"})
        await world.journal.settle_emitted(settled, event, world.clock(), claim)
    assert await world.queued() == ["1"]
    assert (await world.run()).state == "done"


async def test_a_chain_ends_however_it_came_about(world: World) -> None:
    await world.rules("{when: {label: INBOX}, then: [emit: a0]}")
    world.provider.deliver("1")
    await world.read_and_drain()
    for step in range(MAX_DEPTH + 3):
        # Rules of another version each time: no check of one version sees the circle.
        await world.execute_all()
        await world.rules(
            f"{{event: emitted.a{step % 2}, when: {{label: INBOX}}, then: [emit: a{(step + 1) % 2}]}}"
        )
        await world.read_and_drain()
    runs = await world.runs()
    assert max(one.run.depth for one in runs) == MAX_DEPTH
    assert [one.receipts[0]["outcome"] for one in runs].count("held") == 1


async def test_imported_mail_is_not_answered_by_a_detour(world: World) -> None:
    await world.rules(
        "{event: message.imported, when: {label: INBOX}, then: [emit: x]}",
        "{event: emitted.x, when: {label: INBOX}, then: [reply: hi]}",
    )
    world.provider.deliver("1", kind=EventKind.MESSAGE_IMPORTED)
    await world.read_and_drain()
    await settle_all(world)
    answered = next(one for one in await world.runs() if one.run.depth)
    assert answered.receipts[0] == {"outcome": "held", "why": "imported mail is never answered"}
    assert world.provider.sent == []


def errors(*rules: str) -> list[RuleError]:
    text = "rules:\n" + "".join(f"  - {{id: r{n}, {rule}}}\n" for n, rule in enumerate(rules, 1))
    try:
        load_rules({"a.yaml": text}, None)
    except RuleErrors as found:
        return list(found.errors)
    return []


@pytest.mark.parametrize(
    ("rules", "wrong"),
    [
        pytest.param(
            ["event: emitted.a, when: {subject: x}, then: [emit: a]"], 1, id="a rule that hears itself"
        ),
        pytest.param(
            [
                "event: emitted.a, when: {subject: x}, then: [emit: b]",
                "event: emitted.b, when: {subject: x}, then: [emit: c]",
                "event: emitted.c, when: {subject: x}, then: [emit: a]",
            ],
            3,
            id="a circle of three",
        ),
        pytest.param(
            ["when: {subject: x}, then: [emit: a]", "event: emitted.a, when: {subject: x}, then: [emit: b]"],
            0,
            id="a chain",
        ),
        pytest.param(["event: emitted.a, when: {subject: x}, then: [emit: 'a b']"], 1, id="no name"),
        pytest.param(
            ["event: emitted., when: {subject: x}, then: [archive: true]"], 1, id="an event of no name"
        ),
    ],
)
def test_a_circle_of_rules_is_refused(rules: list[str], wrong: int) -> None:
    assert len(errors(*rules)) == wrong


def test_an_event_says_where_it_came_from_and_reads_back() -> None:
    event = Event(EventKind("emitted.a"), "b@x.example", 0, "1", depth=2, origin="message.imported")
    assert Event.from_json(event.to_json()) == event
    assert event.cause is EventKind.MESSAGE_IMPORTED
    assert event.kind.of_message
    assert "depth" not in Event(EventKind.MESSAGE_SENT, "b@x.example", 1).to_json()
