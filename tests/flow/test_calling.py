"""Calls of other systems as steps of runs."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from engine.errors import RuleError
from engine.rules.findings import RuleErrors
from engine.rules.home import Homes
from engine.rules.loader import load_rules
from engine.rules.reach import Reach
from engine.services.http import Endpoint
from tests.flow.conftest import World
from tests.flow.fakes import mail
from tests.services.listening import Other, listen

RULE = (
    "{when: {subject: {regex: '(?P<order>[0-9]+)'}}, then: [{http: {endpoint: e, as: ticket,"
    " json: {order: '{{ captures.order }}', says: 'of {{ message.sender | upper }}', box: '{{ mailbox }}'},"
    " keep: {number: ticket.id}}}, {reply: {template: hi, with: {n: '{{ steps.ticket.number }}'}}}]}"
)
TEMPLATES = {"hi.md": "---\nsubject: Ticket {{ n }}\ninputs: [n]\n---\nHello.\n"}


@pytest.fixture
async def other() -> AsyncIterator[Other]:
    async with listen() as made:
        yield made


async def opened(world: World, other: Other, *, keyed: bool = False) -> str:
    world.endpoints["e"] = Endpoint(other.url, keyed=keyed, private=True)
    await world.rules(RULE, templates=TEMPLATES)
    world.provider.deliver("1", mail("Order 48211"))
    await world.read_and_drain()
    return (await world.run()).run.id


async def test_what_is_answered_is_there_for_later_steps(world: World, other: Other) -> None:
    other.answers = [web.json_response({"ticket": {"id": 77, "x": []}}, status=201)]
    run = await opened(world, other)
    assert await world.execute(run) is None
    ((headers, body),) = other.calls
    assert json.loads(body) == {"order": "48211", "says": "of ANN@X.EXAMPLE", "box": "support@acme.example"}
    assert headers["Idempotency-Key"] == f"{run}-0"
    receipt = (await world.run()).receipts[0]
    assert (receipt["status"], receipt["number"], list(json.loads(receipt["undo"]))) == (
        "201",
        "77",
        ["none"],
    )
    assert b"Subject: Ticket 77" in world.provider.sent[0]


async def test_where_the_key_is_heeded_a_lost_answer_is_asked_for_again(world: World, other: Other) -> None:
    other.answers = [web.Response(status=502), web.json_response({"ticket": {"id": "A-1"}})]
    run = await opened(world, other, keyed=True)
    again = await world.execute(run)
    assert again is not None
    world.clock.now = again
    assert await world.execute(run) is None
    assert {headers["Idempotency-Key"] for headers, _ in other.calls} == {f"{run}-0"}
    assert len(other.calls) == 2
    assert (await world.run()).state == "done"


async def test_where_it_is_not_a_person_decides(world: World, other: Other) -> None:
    other.answers = [web.Response(status=502), web.json_response({"ticket": {"id": 5}})]
    run = await opened(world, other)
    again = await world.execute(run)
    assert again is not None
    world.clock.now = again
    assert await world.execute(run) is None
    recorded = await world.run()
    assert (recorded.state, len(other.calls)) == ("dead", 1)
    assert "cannot be known" in recorded.why
    assert world.provider.sent == []
    world.clock.forward(1_000)
    assert await world.journal.reopen(run, world.clock())
    assert await world.execute(run) is None
    assert ((await world.run()).state, len(other.calls)) == ("done", 2)


async def test_a_worker_that_died_in_the_middle_of_a_call_leaves_it_to_a_person(
    world: World, other: Other
) -> None:
    run = await opened(world, other)
    claim = await world.journal.claim(run, world.clock(), world.clock() + world.timeout, world.margin)
    assert claim is not None
    world.clock.forward(world.timeout + world.margin)
    assert await world.execute(run) is None
    assert ((await world.run()).state, other.calls) == ("dead", [])


async def test_a_refusal_ends_the_run_before_the_next_step(world: World, other: Other) -> None:
    other.answers = [web.Response(status=422)]
    run = await opened(world, other)
    await world.execute(run)
    assert ((await world.run()).state, world.provider.sent) == ("dead", [])


def errors(action: str) -> list[RuleError]:
    text = f"rules:\n  - id: a\n    when: {{subject: x}}\n    then:\n      - http: {action}\n"
    try:
        load_rules({"a.yaml": text}, None, Homes(reach=Reach(endpoints=frozenset({"orders"}))))
    except RuleErrors as found:
        return list(found.errors)
    return []


@pytest.mark.parametrize(
    ("action", "said"),
    [
        pytest.param("{endpoint: order}", "unknown endpoint 'order'; did you mean 'orders'?", id="a slip"),
        pytest.param("{endpoint: orders, url: 'http://x'}", "it stands in postroom.yaml", id="an address"),
        pytest.param("{endpoint: orders, json: '{'}", "must be a map or a list", id="broken JSON"),
        pytest.param(
            "{endpoint: orders, json: {a: '{{ captures.x }}'}}", "unknown capture 'x'", id="a capture"
        ),
        pytest.param(
            "{endpoint: orders, json: {a: '{{ message.body }}'}}", "part of the message", id="a part"
        ),
        pytest.param("{endpoint: orders, json: {a: '{{ env.HOME }}'}}", "unknown name 'env'", id="a name"),
        pytest.param("{endpoint: orders, json: {a: '{{ 1 + 1 }}'}}", "takes {{ captures", id="an expression"),
        pytest.param("{endpoint: orders, keep: {undo: a}}", "'undo' is no name", id="a name that is taken"),
    ],
)
def test_what_is_wrong_is_told_with_what_to_write(action: str, said: str) -> None:
    (error,) = errors(action)
    assert said in error.message
    assert error.place.line == 5


async def test_what_is_beyond_a_throttle_is_held_and_never_called(world: World, other: Other) -> None:
    world.endpoints["e"] = Endpoint(other.url, private=True)
    await world.rules("{when: {label: INBOX}, then: [http: {endpoint: e, throttle: {at_most: 1, per: 1h}}]}")
    for key in "12":
        world.provider.deliver(key, mail(key))
    await world.read_and_drain()
    await world.execute_all()
    runs = await world.runs()
    assert [one.receipts[0]["outcome"] for one in runs] == ["done", "held"]
    assert runs[1].receipts[0]["why"] == "its throttle allows 1/1h; so far 1"
    assert len(other.calls) == 1
