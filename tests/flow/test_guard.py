"""The guard: whom we never answer by machine."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import Missing
from engine.flow.guard import held, once_key
from engine.flow.ports import Profile
from engine.mail.events import EventKind
from engine.mail.message import Message
from engine.mail.mime import from_raw
from engine.rules.effects import ChangeLabels, Effect, SaveDraft, SendMessage, Switch
from tests.flow.conftest import World
from tests.flow.fakes import BOX, mail

REPLY = SendMessage(template="hi", reply=True)
NOTICE = SendMessage(template="hi", to=("boss@acme.example",))
OWN = frozenset({BOX, "help@acme.example", "sales@acme.example"})


def message(raw: bytes, labels: tuple[str, ...] = ("INBOX",)) -> Message:
    return from_raw(raw, key="1", mailbox=BOX, labels=frozenset(labels))


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        pytest.param(mail(Auto_Submitted="auto-replied"), "automated mail (auto_reply)", id="an auto-reply"),
        pytest.param(mail(Precedence="bulk"), "automated mail (bulk)", id="bulk mail"),
        pytest.param(mail(List_Id="<a.x.example>"), "automated mail (list)", id="a mailing list"),
        pytest.param(mail(X_Failed_Recipients="a@x.example"), "automated mail (bounce)", id="a bounce"),
        pytest.param(mail(Content_Type="text/calendar"), "automated mail (calendar)", id="an invitation"),
        pytest.param(mail(sender="No Reply <no-reply@x.example>"), "a no-reply address", id="no-reply"),
        pytest.param(mail(Reply_To="noreply@x.example"), "a no-reply address", id="no-reply in Reply-To"),
        pytest.param(
            mail(sender="postmaster@x.example"), "a no-reply address", id="a role that no person reads"
        ),
        pytest.param(mail(sender="Nobody"), "there is no address to answer", id="no address"),
        pytest.param(mail(sender=""), "there is no address to answer", id="an empty From"),
        pytest.param(mail(sender=BOX.upper()), "it comes from ourselves", id="ourselves in capitals"),
        pytest.param(mail(sender="Help <help@acme.example>"), "it comes from ourselves", id="our alias"),
        pytest.param(
            mail(Reply_To="sales@acme.example"), "it comes from ourselves", id="another mailbox of ours"
        ),
        pytest.param(
            mail(sender=f"a@x.example, {BOX}"),
            "it comes from ourselves",
            id="ourselves among several senders",
        ),
        pytest.param(
            mail(sender=BOX, Reply_To="a@x.example"),
            "it comes from ourselves",
            id="ourselves with a stranger in Reply-To",
        ),
    ],
)
def test_such_mail_is_never_answered(raw: bytes, why: str) -> None:
    reason = held(REPLY, message(raw), OWN)
    assert reason is not None
    assert reason.startswith(why)


def test_a_person_is_answered() -> None:
    assert held(REPLY, message(mail()), OWN) is None


def test_spam_and_imported_mail_are_never_answered() -> None:
    assert held(REPLY, message(mail(), ("SPAM",)), OWN) == "spam is never answered"
    imported = held(REPLY, message(mail()), OWN, EventKind.MESSAGE_IMPORTED)
    assert imported == "imported mail is never answered"


@pytest.mark.parametrize(
    ("effect", "raw", "reason"),
    [
        pytest.param(NOTICE, mail(Precedence="bulk"), None, id="a notice about bulk mail goes out"),
        pytest.param(
            NOTICE, mail(sender="no-reply@x.example"), None, id="a notice about a machine's mail too"
        ),
        pytest.param(
            NOTICE,
            mail(sender=BOX),
            "it comes from ourselves",
            id="a notice about our own mail would go round",
        ),
        pytest.param(
            NOTICE,
            mail(sender="support+new@acme.example"),
            "it comes from ourselves",
            id="our own with a tag",
        ),
        pytest.param(
            SaveDraft(template="hi", reply=True), mail(sender=BOX), None, id="a draft is a person's"
        ),
        pytest.param(ChangeLabels(add=("A",)), mail(sender=BOX), None, id="labels reach nobody"),
    ],
)
def test_what_answers_nobody_is_held_only_against_loops(
    effect: Effect, raw: bytes, reason: str | None
) -> None:
    assert held(effect, message(raw), OWN) == reason


def test_without_headers_there_is_no_verdict() -> None:
    with pytest.raises(Missing):
        held(REPLY, Message("1"), OWN)


def test_the_correspondent_is_whom_the_answer_goes_to() -> None:
    first = message(mail(Reply_To="Ann <ANN@Y.example>"))
    for sender in ("ann@y.example", "ann+4711@y.example"):
        assert once_key(BOX, "r", REPLY, first) == once_key(BOX, "r", REPLY, message(mail(sender=sender)))
    assert once_key(BOX, "r", REPLY, message(mail(sender="Nobody"))).endswith(":")


def test_another_template_is_another_answer() -> None:
    first = message(mail())
    other = SendMessage(template="other", reply=True)
    assert once_key(BOX, "r", REPLY, first) != once_key(BOX, "r", other, first)


TAINTS = [
    {"Auto-Submitted": "auto-generated (sieve)"},
    {"Auto-Submitted": "AUTO-REPLIED; owner-email=x"},
    {"Precedence": "junk"},
    {"List-Unsubscribe": "<mailto:off@x.example>"},
    {"X-Auto-Response-Suppress": "OOF, AutoReply"},
    {"X-Autoreply": "yes"},
    {"Return-Path": "<>"},
    {"Content-Type": 'multipart/report; report-type=delivery-status; boundary="b"'},
    {"From": "MAILER-DAEMON@x.example"},
    {"From": "Shop <do_not_reply@x.example>"},
    {"Reply-To": "bounces+ann=x.example@list.example"},
    {"From": f'"Ann" <{BOX}>'},
    {"From": "=?utf-8?q?H=C3=A9l=C3=A8ne?= <HELP@ACME.EXAMPLE>"},
    {"Reply-To": "ann@x.example, sales@acme.example", "From": "sales@acme.example"},
]
NOISE = st.dictionaries(
    st.sampled_from(["X-Mailer", "Organization", "Thread-Topic", "X-Priority", "Received", "Importance"]),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30),
    max_size=5,
)


def written(fields: dict[str, str]) -> Message:
    lines = [f"{name}: {value}\r\n" for name, value in fields.items()]
    return message("".join(lines).encode() + b"\r\nbody\r\n")


@settings(max_examples=100)
@given(st.sampled_from(TAINTS), NOISE, NOISE, st.booleans())
def test_nothing_automated_and_nothing_of_ours_is_ever_answered(
    taint: dict[str, str], before: dict[str, str], after: dict[str, str], everybody: bool
) -> None:
    clean = {**before, "From": "Ann <ann@x.example>", "To": BOX, "Subject": "hello", **after}
    reply = REPLY.model_copy(update={"all": everybody})
    assert held(reply, written(clean), OWN) is None
    assert held(reply, written(clean | taint), OWN) is not None


async def test_the_headers_are_read_before_a_rule_answers_that_asked_for_labels_alone(world: World) -> None:
    await world.rules("{when: {label: INBOX}, then: [reply: {template: hi, once_per: {sender: 7d}}]}")
    world.provider.deliver("1", mail("one"))
    world.provider.deliver("2", mail("two", sender="no-reply@x.example"))
    await world.read_and_drain()
    first, second = await world.runs()
    assert (first.state, second.receipts[0]["why"]) == ("open", "a no-reply address is never answered")


async def test_aliases_and_group_addresses_of_every_mailbox_are_ours(world: World) -> None:
    ours = frozenset({"sales@acme.example", "team@acme.example"})
    await world.mailboxes.know("sales@acme.example", Profile(1, "active", ours))
    await world.rules("{when: {label: INBOX}, then: [reply: hi]}")
    world.provider.deliver("1", mail("one", sender="team@acme.example"))
    world.provider.deliver("2", mail("two", sender="sales@acme.example"))
    await world.read_and_drain()
    assert {one.receipts[0]["why"] for one in await world.runs()} == {"it comes from ourselves"}


async def test_an_alias_that_was_added_later_becomes_ours_within_the_hour(world: World) -> None:
    await world.rules("{when: {label: INBOX}, then: [reply: hi]}")
    world.provider.aliases[BOX] = frozenset({"new@acme.example"})
    world.clock.forward(3_600_000)
    world.provider.deliver("1", mail("one", sender="new@acme.example"))
    await world.read_and_drain()
    assert (await world.run()).receipts[0]["outcome"] == "held"


@pytest.mark.parametrize(
    ("off", "raw"),
    [
        pytest.param("automated", mail(Auto_Submitted="auto-replied"), id="automatic mail"),
        pytest.param("no_reply", mail(sender="no-reply@x.example"), id="a no-reply address"),
        pytest.param("own", mail(sender=BOX), id="our own mail"),
    ],
)
def test_a_rule_may_switch_off(off: Switch, raw: bytes) -> None:
    for effect in (REPLY, NOTICE):
        assert held(effect.model_copy(update={"off": (off,)}), message(raw), OWN) is None
    assert held(REPLY, message(raw), OWN)


ECHO = "<0123456789abcdef0123456789abcdef.0.postroom@acme.example>"
ALL: tuple[Switch, ...] = ("automated", "no_reply", "own", "vacation", "budget")


@pytest.mark.parametrize(
    ("raw", "labels", "why"),
    [
        pytest.param(mail(Message_ID=ECHO), ("INBOX",), "of our own that comes back", id="our own mail"),
        pytest.param(
            mail(Auto_Submitted="auto-replied", In_Reply_To=ECHO),
            ("INBOX",),
            "a machine's answer to automatic mail of our own",
            id="a machine's answer to it",
        ),
        pytest.param(
            mail(X_Failed_Recipients="a@x.example", References=f"<a@x.example> {ECHO}"),
            ("INBOX",),
            "a machine's answer",
            id="its bounce",
        ),
        pytest.param(mail(), ("SPAM",), "spam is never answered", id="spam"),
    ],
)
def test_no_rule_switches_off(raw: bytes, labels: tuple[str, ...], why: str) -> None:
    effect = REPLY.model_copy(update={"off": ALL})
    assert why in (held(effect, message(raw, labels), OWN, away=True) or "")
    if "SPAM" not in labels:
        assert held(NOTICE.model_copy(update={"off": ALL}), message(raw, labels), OWN)


def test_a_person_who_answers_our_automatic_mail_is_answered() -> None:
    assert held(REPLY, message(mail(In_Reply_To=ECHO)), OWN) is None
