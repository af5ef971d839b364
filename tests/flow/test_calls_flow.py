"""Calls from other systems on their way: rules, the guard, templates, and what is kept meanwhile."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from engine.errors import Unavailable
from engine.flow.asked import Asked, misfits
from engine.flow.calls import Call, hook_event, key_id, send_event
from engine.flow.drain import drain
from engine.mail.bodies import File
from engine.mail.events import Event
from engine.mail.mime import from_raw
from engine.store.brake import pause_sends, resume_sends
from engine.store.calls import RedisCalls
from engine.store.doubts import RedisDoubts
from engine.store.shown import tell
from engine.templating.library import load_templates
from tests.flow.conftest import DAY_MS, RETENTION_MS, World
from tests.flow.fakes import BOX

HOOK, SEND = "hook.orders", "send"
PAID = (
    "{event: hook.orders, when: {payload: {path: status, is: paid}}, "
    "then: [{send: {template: paid, to: [boss@x.example], with: {order: '{{ payload.id }}'}}}]}"
)
TEMPLATES = {
    "paid.md": "---\nsubject: Order {{ order }}\ninputs: [order]\n---\n{{ payload.total }} for {{ order }}\n",
    "hello.md": "---\nsubject: Hello {{ name }}\ninputs: [name]\n---\nDear {{ name }}\n",
    "order.md": "---\nsubject: Re {{ message.subject }}\n---\nx\n",
}
FILE = File("a.txt", "text/plain", b"planted file")


def hooked(body: dict[str, Any], key: str = "k", **more: Any) -> Call:
    text = json.dumps(body)
    return Call(hook_event("orders", BOX, key_id(HOOK, key, "salt"), text), text, **more)


def asked(key: str = "k", name: str = "Ann", **more: str) -> Call:
    wanted = {"template": "hello", "to": ["ann@x.example"], "with": {"name": name}, **more}
    return Call(
        send_event(BOX, key_id(SEND, key, "salt"), Asked.model_validate(wanted).model_dump(by_alias=True)),
        "d",
    )


async def take(world: World, call: Call, lane: str = HOOK) -> str:
    """Take a call and have its lane drained."""
    taken = await RedisCalls(world.base, RETENTION_MS).take([call], world.clock())
    assert await drain(world.draining, world.provider, lane) is None
    return taken[0].id


async def kept(world: World) -> list[str]:
    """What is left of what calls brought along."""
    parts = [await world.base.redis.keys(world.base.key(part, "*")) for part in ("content", "files")]
    return sorted(key for keys in parts for key in keys)


async def told(world: World, run: str) -> dict[str, Any]:
    found = await tell(world.journal, RedisCalls(world.base, RETENTION_MS), run)
    assert found is not None
    return found


async def test_a_rule_tells_of_a_call_by_mail_with_its_file(world: World) -> None:
    await world.rules(PAID, templates=TEMPLATES)
    call = await take(world, hooked({"id": 7, "status": "paid", "total": 9.5}, files=(FILE,)))
    assert (await told(world, call))["state"] == "open"
    assert len(await kept(world)) == 1
    await world.execute_all()
    (raw,) = world.provider.sent
    mail = from_raw(raw, key="sent")
    assert mail.subject == "Order 7"
    assert "9.5 for 7" in mail.text
    assert mail.headers.all("Auto-Submitted") == ("auto-generated",)
    assert [(one.name, one.size) for one in mail.attachments] == [("a.txt", len(FILE.content))]
    state = await told(world, call)
    assert (state["state"], [one["rule"] for one in state["runs"]]) == ("done", ["r1"])
    assert await kept(world) == []


async def test_a_call_that_no_rule_wants_is_done(world: World) -> None:
    await world.rules(PAID, templates=TEMPLATES)
    call = await take(world, hooked({"status": "open"}, files=(FILE,)))
    assert await told(world, call) == {"run": call, "state": "done", "runs": []}
    assert await kept(world) == []


async def test_a_call_of_a_hook_without_rules_is_done(world: World) -> None:
    await world.rules(PAID.replace("orders", "others"), templates=TEMPLATES)
    call = await take(world, hooked({"status": "paid"}))
    assert (await told(world, call))["state"] == "done"


async def test_two_rules_have_a_run_and_a_file_each(world: World) -> None:
    await world.rules(PAID, PAID.replace("boss", "sales"), templates=TEMPLATES)
    await take(world, hooked({"id": 7, "status": "paid", "total": 1}, files=(FILE,)))
    first, second = await world.runs()
    await world.execute(first.run.id)
    assert len(await kept(world)) == 1
    await world.execute(second.run.id)
    assert [len(from_raw(raw, key="x").attachments) for raw in world.provider.sent] == [1, 1]
    assert await kept(world) == []


async def test_a_call_that_is_taken_once_more_sets_off_nothing_more(world: World) -> None:
    await world.rules(PAID, templates=TEMPLATES)
    body = {"id": 7, "status": "paid", "total": 1}
    await take(world, hooked(body))
    await world.execute_all()
    # As when the record of the key is lost, and the journal is not.
    async for key in world.base.redis.scan_iter(world.base.key("call", "*")):
        await world.base.redis.delete(key)
    await take(world, hooked(body))
    await world.execute_all()
    assert len(world.provider.sent) == 1
    assert await kept(world) == []


async def test_what_a_template_misses_is_a_dead_letter_that_keeps_what_came(world: World) -> None:
    await world.rules(PAID, templates=TEMPLATES)
    call = await take(world, hooked({"id": 7, "status": "paid"}, files=(FILE,)))
    await world.execute_all()
    assert world.provider.sent == []
    recorded = await world.run()
    assert (recorded.state, "'total' is not among the payload" in recorded.why) == ("dead", True)
    assert (await told(world, call))["state"] == "dead"
    assert len(await kept(world)) == 1
    await world.rules(PAID, templates=TEMPLATES)
    assert await world.journal.dismiss(recorded.run.id, world.clock())
    assert await kept(world) == []


async def test_a_dead_letter_is_replayed_with_its_file(world: World) -> None:
    await world.rules(PAID, templates=TEMPLATES)
    await take(world, hooked({"id": 7, "status": "paid", "total": 1}, files=(FILE,)))
    run = (await world.run()).run.id
    world.provider.failures["send"] = [Unavailable("away")]
    await world.execute(run)
    world.clock.forward(90_000_000)
    world.provider.failures["send"] = [Unavailable("away")]
    await world.execute(run)
    assert (await world.run()).state == "dead"
    assert await world.journal.reopen(run, world.clock())
    for _ in range(3):
        world.clock.forward(90_000)
        await world.execute(run)
    assert [len(from_raw(raw, key="x").attachments) for raw in world.provider.sent] == [1]
    assert await kept(world) == []


async def test_what_has_expired_is_never_sent_without_its_content(world: World) -> None:
    await world.rules(PAID, templates=TEMPLATES)
    await take(world, hooked({"id": 7, "status": "paid", "total": 1}, files=(FILE,)))
    for key in await kept(world):
        await world.base.redis.delete(key)
    await world.execute_all()
    assert world.provider.sent == []
    assert "no longer kept" in (await world.run()).why


async def test_one_message_is_sent_as_it_was_asked_for(world: World) -> None:
    await world.rules(PAID, templates=TEMPLATES)
    run = await take(world, asked(), SEND)
    await world.execute_all()
    (raw,) = world.provider.sent
    mail = from_raw(raw, key="sent")
    assert mail.subject == "Hello Ann"
    assert [one.address for one in mail.addresses("To")] == ["ann@x.example"]
    assert mail.message_id == f"<{run}.0.postroom@acme.example>"
    assert ((await told(world, run))["state"], (await told(world, run))["rule"]) == ("done", "(send)")
    assert await kept(world) == []


async def test_inputs_that_are_asked_for_are_never_obeyed(world: World) -> None:
    await world.rules(PAID, templates=TEMPLATES)
    hostile = "{{ 7 * 7 }} <b>x</b> [y](http://evil.example)\r\nBcc: eve@evil.example"
    await take(world, asked(name=hostile), SEND)
    await world.execute_all()
    (raw,) = world.provider.sent
    mail = from_raw(raw, key="sent")
    assert "Bcc" not in mail.headers
    assert "{{ 7 * 7 }}" in mail.text
    html = raw.partition(b"text/html")[2]
    assert b"&lt;b&gt;x&lt;/b&gt;" in html
    assert b"<b>" not in html
    assert b"href" not in html


async def test_a_request_waits_for_rules_and_is_then_sent(world: World) -> None:
    calls = RedisCalls(world.base, RETENTION_MS)
    (taken,) = await calls.take([asked()], world.clock())
    assert (await told(world, taken.id)) == {"run": taken.id, "state": "queued", "runs": []}
    assert await drain(world.draining, world.provider, SEND) is not None
    await world.rules(PAID, templates=TEMPLATES)
    assert await drain(world.draining, world.provider, SEND) is None
    await world.execute_all()
    assert len(world.provider.sent) == 1


async def test_an_answer_that_is_lost_is_looked_up_and_not_sent_twice(world: World) -> None:
    await world.rules(PAID, templates=TEMPLATES)
    run = await take(world, asked(), SEND)
    world.provider.lost_answers = 1
    await world.execute(run)
    world.clock.forward(70_000)
    await world.execute(run)
    assert len(world.provider.sent) == 1
    assert (await world.run()).receipts[0]["how"] == "found"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        pytest.param({"template": "helo"}, "did you mean 'hello'?", id="no such template"),
        pytest.param({"with": {}}, "needs the input 'name'", id="an input missing"),
        pytest.param({"with": {"name": "x", "nome": "y"}}, "unknown input 'nome'", id="an input too many"),
        pytest.param({"template": "order", "with": {}}, "reads a message", id="a template about a message"),
        pytest.param(
            {"template": "paid", "with": {"order": "7"}},
            "'total' is not among",
            id="what it reads is missing",
        ),
    ],
)
def test_what_a_template_has_against_a_request_is_known_at_once(said: dict[str, Any], why: str) -> None:
    wanted = {"template": "hello", "to": "ann@x.example", "with": {"name": "Ann"}} | said
    now = datetime(2026, 1, 1, tzinfo=UTC)
    found = misfits(load_templates(TEMPLATES), Asked.model_validate(wanted), BOX, now)
    assert why in "; ".join(found)


def test_events_of_calls_keep_their_identity_through_json() -> None:
    for event in (hooked({"a": 1}).event, asked().event):
        assert Event.from_json(event.to_json()) == event
        assert Event.from_json(event.to_json()).kind is event.kind


async def test_after_lost_writes_a_call_that_comes_again_is_not_sent_again(world: World) -> None:
    await world.rules(PAID, templates=TEMPLATES)
    body = {"id": 7, "status": "paid", "total": 1}
    await take(world, hooked(body))
    await world.execute_all()
    for part in ("call:*", "run:*"):  # The journal and the key are lost; the mail is sent.
        await world.base.redis.delete(*await world.base.redis.keys(world.base.key(part)))
    await RedisDoubts(world.base).doubt_calls([HOOK], world.clock() + DAY_MS)
    await take(world, hooked(body))
    await world.execute_all()
    assert len(world.provider.sent) == 1
    assert (await world.run()).receipts[0]["how"] == "found"
    world.clock.forward(2 * DAY_MS)
    await take(world, hooked(body | {"id": 8}, key="k8"))
    looks = world.provider.calls["find"]
    await world.execute_all()
    assert len(world.provider.sent) == 2
    assert world.provider.calls["find"] == looks


async def test_what_a_rule_sets_off_brings_its_payload_to_templates_as_well(world: World) -> None:
    templates = {"told.md": "---\nsubject: Order {{ payload.order }}\n---\nx\n"}
    found = "{when: {label: INBOX}, then: [emit: {event: found, payload: {order: A7}}]}"
    heard = (
        "{event: emitted.found, when: {payload: {path: order, is: A7}}, "
        "then: [{send: {template: told, to: [a@x.example]}}]}"
    )
    await world.rules(found, heard, templates=templates)
    world.provider.deliver("1")
    for _ in range(4):
        await world.read_and_drain()
        await world.execute_all()
    assert [from_raw(raw, key="x").subject for raw in world.provider.sent] == ["Order A7"]
    assert await kept(world) == []


async def test_what_a_call_brought_along_is_kept_as_long_as_sends_are_paused(world: World) -> None:
    await world.rules(PAID, templates=TEMPLATES)
    await take(world, hooked({"id": 7, "status": "paid", "total": 9.5}))
    await pause_sends(world.base, "ann", "", world.clock())
    await world.execute_all()
    (key,) = await kept(world)
    assert await world.base.redis.pttl(key) == -1
    await resume_sends(world.base, "ann", world.clock())
    await world.execute_all()
    assert (len(world.provider.sent), await kept(world)) == (1, [])
