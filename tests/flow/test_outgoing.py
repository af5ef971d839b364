"""What leaves: who it is from and to, what it answers, and that a machine wrote it."""

from __future__ import annotations

import pytest

from engine.errors import Rejected
from engine.flow.ports import Profile
from engine.mail.events import EventKind
from engine.mail.message import Message
from engine.mail.mime import from_raw
from tests.flow.conftest import World
from tests.flow.fakes import BOX, mail

REPLY = "{when: {label: INBOX}, then: [reply: hi]}"
ALIAS = "help@acme.example"


async def sent(world: World, rule: str, raw: bytes, templates: dict[str, str] | None = None) -> Message:
    """What a rule makes of a message: the only mail that left, or the only draft."""
    await world.mailboxes.know(BOX, Profile(1, "active", frozenset({BOX, ALIAS})))
    await world.rules(rule, templates=templates)
    world.provider.deliver("1", raw)
    await world.read_and_drain()
    await world.execute_all()
    (only,) = world.provider.sent + world.provider.drafts
    return from_raw(only, key="sent")


async def test_a_reply_names_what_it_answers_and_that_a_machine_wrote_it(world: World) -> None:
    raw = mail("order", Message_ID="<b@x.example>", References="<z@x.example> <a@x.example>")
    reply = await sent(world, REPLY, raw)
    run = (await world.run()).run
    assert reply.headers.all("Auto-Submitted") == ("auto-replied",)
    assert reply.headers.text("In-Reply-To") == "<b@x.example>"
    assert reply.headers.text("References") == "<z@x.example> <a@x.example> <b@x.example>"
    assert reply.message_id == f"<{run.id}.0.postroom@acme.example>"
    assert reply.subject == "Thank you"
    assert [one.address for one in reply.addresses("To")] == ["ann@x.example"]
    assert "Cc" not in reply.headers
    assert reply.text.strip() == "Hello."


@pytest.mark.parametrize(
    ("headers", "from_"),
    [
        pytest.param({"To": BOX}, BOX, id="the mailbox itself"),
        pytest.param({"To": f"Help <{ALIAS.upper()}>"}, ALIAS.upper(), id="an alias as it was written"),
        pytest.param({"To": "bob@x.example", "Cc": ALIAS}, ALIAS, id="an alias in copy"),
        pytest.param({"To": "list@y.example", "Delivered-To": ALIAS}, ALIAS, id="an alias by delivery"),
        pytest.param({"To": "undisclosed:;"}, BOX, id="nobody that can be seen"),
    ],
)
async def test_a_reply_leaves_from_the_address_that_was_written_to(
    world: World, headers: dict[str, str], from_: str
) -> None:
    fields = {"From": "ann@x.example", "Subject": "order", **headers}
    raw = "".join(f"{name}: {value}\r\n" for name, value in fields.items()).encode() + b"\r\nhi\r\n"
    reply = await sent(world, REPLY, raw)
    assert [one.normal for one in reply.addresses("From")] == [from_.lower()]


async def test_a_reply_goes_to_one_address_of_reply_to(world: World) -> None:
    reply = await sent(world, REPLY, mail("order", Reply_To="Ann <ann@y.example>, b@y.example, c@y.example"))
    assert [one.address for one in reply.addresses("To")] == ["ann@y.example"]


async def test_a_reply_to_all_leaves_ourselves_and_the_sender_out(world: World) -> None:
    raw = mail(
        "order", to=f"{BOX}, bob@x.example", Cc=f"{ALIAS}, ann@x.example, eve@y.example, bob@x.example"
    )
    reply = await sent(world, "{when: {label: INBOX}, then: [reply: {template: hi, all: true}]}", raw)
    assert [one.address for one in reply.addresses("Cc")] == ["bob@x.example", "eve@y.example"]


async def test_a_notice_is_generated_and_answers_nothing(world: World) -> None:
    rule = "{when: {label: INBOX}, then: [send: {template: hi, to: [boss@y.example, b@y.example]}]}"
    notice = await sent(world, rule, mail("order", Precedence="bulk"))
    assert notice.headers.text("Auto-Submitted") == "auto-generated"
    assert [one.address for one in notice.addresses("To")] == ["boss@y.example", "b@y.example"]
    assert not {"In-Reply-To", "References"} & {name for name, _ in notice.headers}


async def test_a_draft_is_a_persons_and_not_automatic(world: World) -> None:
    rule = "{when: {label: INBOX}, then: [draft: {template: hi, reply: true}]}"
    draft = await sent(world, rule, mail("order"))
    assert "Auto-Submitted" not in draft.headers
    assert draft.headers.text("In-Reply-To") == "<order@x.example>"


async def test_an_empty_subject_of_the_template_takes_that_of_the_message(world: World) -> None:
    template = {"hi.md": "---\nsubject: '{{ \"\" }}'\n---\nHello.\n"}
    assert (await sent(world, REPLY, mail("order 7"), template)).subject == "Re: order 7"


async def test_captures_inputs_and_earlier_receipts_reach_the_template(world: World) -> None:
    rule = (
        "{when: {subject: {regex: 'order (?P<n>\\d+)'}}, "
        "then: [reply: {template: got, with: {n: '{{ captures.n }}'}}]}"
    )
    template = {
        "got.md": "---\nsubject: Order {{ n }}\ninputs: [n]\n---\nOrder {{ n }} from {{ message.subject }}.\n"
    }
    reply = await sent(world, rule, mail("order 4711"), template)
    assert (reply.subject, reply.text.strip()) == ("Order 4711", "Order 4711 from order 4711.")


async def test_a_line_break_in_a_subject_adds_no_header(world: World) -> None:
    rule = "{when: {label: INBOX}, then: [reply: got]}"
    template = {"got.md": "---\nsubject: 'About {{ message.subject }}'\n---\nHello.\n"}
    raw = mail("=?utf-8?q?a=0D=0ABcc:_evil@y.example?=")
    reply = await sent(world, rule, raw, template)
    assert "Bcc" not in reply.headers


async def test_a_template_that_fails_needs_a_person_and_sends_nothing(world: World) -> None:
    await world.rules(
        REPLY, templates={"hi.md": "---\nsubject: Hi\n---\n{{ message.headers['X-No'].lost }}\n"}
    )
    world.provider.deliver("1", mail("order"))
    await world.read_and_drain()
    await world.execute_all()
    recorded = await world.run()
    assert (recorded.state, recorded.receipts[0]["outcome"]) == ("dead", "failed")
    assert recorded.why
    assert world.provider.sent == []


async def test_a_notice_of_changed_settings_needs_no_message(world: World) -> None:
    rule = (
        "{event: settings.changed, when: {not: {label: X}}, then: [send: {template: hi, to: boss@y.example}]}"
    )
    await world.rules(rule)
    world.provider.failures["fetch"] = [Rejected("there is no message without a key")]
    world.provider.report(EventKind.SETTINGS_CHANGED, changed=("filter",))
    await world.read_and_drain()
    await world.execute_all()
    assert [one.state for one in await world.runs()] == ["done"]
    assert len(world.provider.sent) == 1
