"""A bounce suppresses whom we wrote to, and nobody else, whoever wrote it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from engine.errors import OutcomeUnknown, Unavailable
from engine.flow.bounces import BOUNCE_RULE
from engine.flow.recorded import Recorded
from engine.flow.suppression import SOFT_LIMIT, Suppressed
from engine.flow.undoing import undoable
from engine.mail.events import EventKind
from engine.mail.headers import parse_headers
from engine.rules.budgets import Budgets
from engine.rules.home import Home, Homes
from engine.rules.reach import Reach, recipients
from engine.store.suppression import RedisSuppressions
from tests.flow.conftest import DAY_MS, World
from tests.flow.fakes import BOX, mail
from tests.flow.test_gathering import TEMPLATES, when_due
from tests.flow.test_undoing import undone

REPLY = "{id: answer, when: {subject: {starts_with: ask}}, then: [reply: hi]}"
ANN = "ann@x.example"
FORGED = "<" + "0" * 32 + ".0.postroom@acme.example>"


def report(message_id: str, to: str = ANN, status: str = "5.1.1", action: str = "failed") -> bytes:
    """A delivery report on a mail of that id."""
    return (
        "From: MAILER-DAEMON@x.example\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
        f"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x.example\r\n\r\n"
        f"Final-Recipient: rfc822; {to}\r\nAction: {action}\r\nStatus: {status}\r\n\r\n"
        "--b\r\nContent-Type: text/rfc822-headers\r\n\r\nSubject: hi\r\n"
        f"Message-ID: {message_id}\r\n\r\n--b--\r\n"
    ).encode()


def complaint(message_id: str, named: str = "", copy: str = "", kind: str = "abuse") -> bytes:
    """A report that mail of that id is spam (RFC 5965), with further fields of it and of the copy."""
    return (
        "From: fbl@x.example\r\nSubject: complaint\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: text/plain\r\n\r\nThis is an abuse report: ben@x.example\r\n\r\n"
        "--b\r\nContent-Type: message/feedback-report\r\n\r\n"
        f"Feedback-Type: {kind}\r\nVersion: 1\r\n{named}\r\n"
        "--b\r\nContent-Type: message/rfc822\r\n\r\n"
        f"Message-ID: {message_id}\r\n{copy}\r\nHi.\r\n\r\n--b--\r\n"
    ).encode()


async def answered(world: World, key: str = "1", sender: str = ANN) -> str:
    """Answer a mail; give the answer's Message-ID."""
    world.provider.deliver(key, mail(f"ask {key}", sender))
    await world.read_and_drain()
    await world.execute_all()
    return parse_headers(world.provider.sent[-1]).text("Message-ID")


async def read(world: World, key: str, raw: bytes) -> Recorded:
    """Deliver a bounce and read it; give the run that did."""
    world.provider.deliver(key, raw)
    await world.read_and_drain()
    await world.execute_all()
    return await reading(world, key)


async def reading(world: World, key: str) -> Recorded:
    return next(one for one in await world.runs() if one.run.key == key and one.run.rule == BOUNCE_RULE)


async def suppressed(world: World) -> dict[str, Suppressed]:
    return {address: known async for address, known in RedisSuppressions(world.base).all()}


async def test_who_is_gone_is_suppressed_and_the_receipt_says_who_and_why(world: World) -> None:
    await world.rules(REPLY)
    bounce = await read(world, "2", report(await answered(world)))
    receipt = bounce.receipts[0]
    assert (bounce.state, receipt["outcome"]) == ("done", "done")
    assert (receipt["suppressed"], json.loads(receipt["undo"])) == ("1", {"suppressed": 1})
    assert ANN not in json.dumps([one.receipts for one in await world.runs()])
    known = (await suppressed(world))[ANN]
    assert known == Suppressed(
        since=world.clock(), why="mail to it came back for good (5.1.1)", status="5.1.1", run=bounce.run.id
    )


async def test_nothing_more_is_sent_to_who_is_gone_until_that_is_undone(world: World) -> None:
    await world.rules(REPLY)
    bounce = await read(world, "2", report(await answered(world)))
    world.provider.deliver("3", mail("ask 3"))
    await world.read_and_drain()
    await world.execute_all()
    held = next(one for one in await world.runs() if one.run.key == "3").receipts[0]
    assert (held["outcome"], len(world.provider.sent)) == ("held", 1)
    (told,) = await undone(world, BOUNCE_RULE)
    assert [one.what for one in told.others] == [f"suppressed address {ANN}"]
    assert await suppressed(world) == {}
    again = next(one for one in await world.runs() if one.run.id == bounce.run.id)
    assert undoable(again) == "it is undone already"
    await answered(world, "4")
    assert len(world.provider.sent) == 2


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        pytest.param({"message_id": FORGED}, "names no mail of ours", id="a made-up Message-ID"),
        pytest.param({"message_id": "<a@x.example>"}, "names no mail of ours", id="a person's mail"),
        pytest.param({"to": "ben@x.example"}, "names nobody whom that mail went to", id="another recipient"),
        pytest.param(
            {"action": "delayed", "status": "4.4.1"},
            "nothing that came back",
            id="mail that is still on its way",
        ),
        pytest.param({"action": "delivered", "status": "2.0.0"}, "nothing that came back", id="a receipt"),
    ],
)
async def test_what_is_no_bounce_of_ours_suppresses_nobody(
    world: World, changes: dict[str, str], why: str
) -> None:
    await world.rules(REPLY)
    message_id = await answered(world)
    bounce = await read(world, "2", report(**({"message_id": message_id} | changes)))
    assert (bounce.state, bounce.receipts[0]["outcome"]) == ("done", "skipped")
    assert why in bounce.receipts[0]["why"]
    assert await suppressed(world) == {}


@pytest.mark.parametrize(
    ("more", "found"),
    [
        pytest.param({"named": f"Original-Rcpt-To: <{ANN}>\r\n"}, {ANN}, id="it names the recipient"),
        pytest.param({"copy": f"To: {ANN}\r\n"}, {ANN}, id="the copy of the mail names the recipient"),
        pytest.param({}, {ANN}, id="it names nobody, and the mail went to one alone"),
        pytest.param({"named": "Original-Rcpt-To: ben@x.example\r\n"}, set(), id="it names somebody else"),
        pytest.param({"copy": f"To: {ANN}\r\n", "kind": "not-spam"}, set(), id="it says that it is no spam"),
        pytest.param({"copy": f"To: {ANN}\r\n", "message_id": FORGED}, set(), id="a made-up Message-ID"),
    ],
)
async def test_who_reports_our_mail_as_spam_gets_no_more(
    world: World, more: dict[str, str], found: set[str]
) -> None:
    await world.rules(REPLY)
    message_id = await answered(world)
    sent = world.provider.sent[-1]
    (run,) = await world.runs()
    world.provider.deliver(run.receipts[0]["id"], sent, labels=["SENT"], kind=EventKind.MESSAGE_SENT)
    told = await read(world, "2", complaint(**({"message_id": message_id} | more)))
    assert (told.state, told.receipts[0]["outcome"]) == ("done", "done" if found else "skipped")
    known = await suppressed(world)
    assert set(known) == found
    assert {one.why for one in known.values()} <= {"mail to it was reported as spam"}


async def test_of_several_who_got_the_mail_only_who_is_named_complains(world: World) -> None:
    await world.rules(
        "{when: {subject: {contains: ask}}, then: [send: {template: hi, to: [ann@x.example, cy@x.example]}]}"
    )
    message_id = await answered(world)
    copy = f"To: {ANN}, cy@x.example\r\n"
    await read(world, "2", complaint(message_id, copy=copy))
    assert await suppressed(world) == {}
    await read(world, "3", complaint(message_id, "Original-Rcpt-To: cy@x.example\r\n", copy))
    assert set(await suppressed(world)) == {"cy@x.example"}


BESIDE = "{when: {subject: {contains: ask}}, then: [%s, {send: {template: hi, to: pager@x.example}}]}"


@pytest.mark.parametrize(
    ("first", "found"),
    [
        pytest.param("reply: hi", set(), id="who was answered knows its run"),
        pytest.param("draft: hi", set(), id="who gets a draft of it knows its run"),
        pytest.param("label: A", {"pager@x.example"}, id="nobody else knows its run"),
    ],
)
@pytest.mark.parametrize(
    "about",
    [
        pytest.param(lambda its_id: report(its_id, "pager@x.example"), id="a bounce"),
        pytest.param(complaint, id="a complaint that names nobody"),
        pytest.param(lambda its_id: complaint(its_id, copy="To: pager@x.example\r\n"), id="a complaint"),
    ],
)
async def test_who_is_answered_has_nobody_suppressed_whom_the_same_run_wrote_to(
    world: World, first: str, found: set[str], about: Callable[[str], bytes]
) -> None:
    await world.rules(BESIDE % first)
    its_id = await answered(world)
    (run,) = await world.runs()
    sent = world.provider.sent[-1]
    world.provider.deliver(run.receipts[1]["id"], sent, labels=["SENT"], kind=EventKind.MESSAGE_SENT)
    assert ".1.postroom@" in its_id
    told = await read(world, "2", about(its_id))
    assert (set(await suppressed(world)), told.state) == (found, "done")


SUMMING = "summary: {template: all, to: [pager@x.example], every: 1h, with: {number: n}}"


@pytest.mark.parametrize(
    ("first", "found"),
    [
        pytest.param("reply: hi", set(), id="begun by who was answered"),
        pytest.param("label: A", {"pager@x.example"}, id="begun by who got nothing"),
    ],
)
async def test_who_is_answered_has_nobody_suppressed_who_got_a_summary(
    world: World, first: str, found: set[str]
) -> None:
    rule = f"{{when: {{subject: {{contains: ask}}}}, then: [{first}, {{{SUMMING}}}]}}"
    await world.rules(rule, templates={**TEMPLATES, "hi.md": "---\nsubject: hi\n---\nHello.\n"})
    world.provider.deliver("1", mail("ask 1"))
    await world.read_and_drain()
    await world.execute_all()
    await when_due(world)
    its_id = parse_headers(world.provider.sent[-1]).text("Message-ID")
    await read(world, "2", report(its_id, "pager@x.example"))
    assert set(await suppressed(world)) == found


TEAM = "team@acme.example"


@pytest.mark.parametrize(
    ("then", "step", "to", "why"),
    [
        pytest.param("reply: hi", 1, TEAM, "names no mail of ours", id="a step that its run has not"),
        pytest.param(
            f"{{reply: hi}}, {{send: {{template: hi, to: {TEAM}, after: 1d}}}}",
            1,
            TEAM,
            "names no mail of ours",
            id="a step that is not yet due",
        ),
        pytest.param(
            f"{{reply: hi}}, {{forward: {TEAM}}}",
            1,
            TEAM,
            "may have written it",
            id="our own team in a later step",
        ),
        pytest.param(
            "reply: {template: hi, all: true}",
            0,
            "cy@x.example",
            "may have written it",
            id="somebody whom a message named beside its sender",
        ),
    ],
)
async def test_who_got_one_mail_cannot_have_others_suppressed(
    world: World, then: str, step: int, to: str, why: str
) -> None:
    world.budgets = Budgets(ours=recipients([BOX], ()))
    await world.rules(f"{{when: {{subject: ask}}, then: [{then}]}}")
    world.provider.deliver("1", mail("ask", Cc="Cy <cy@x.example>"))
    await world.read_and_drain()
    await world.execute_all()
    known = parse_headers(world.provider.sent[0]).text("Message-ID")
    bounce = await read(world, "2", report(known.replace(".0.postroom", f".{step}.postroom"), to))
    assert (bounce.state, bounce.receipts[0]["outcome"]) == ("done", "skipped")
    assert why in bounce.receipts[0]["why"]
    assert await suppressed(world) == {}


async def test_soft_bounces_count_and_suppress_when_they_go_on(world: World) -> None:
    await world.rules(REPLY)
    message_id = await answered(world)
    await read(world, "old", report(message_id, status="4.4.1"))
    world.clock.forward(8 * DAY_MS)
    for turn in range(SOFT_LIMIT):
        assert await suppressed(world) == {}
        bounce = await read(world, f"b{turn}", report(message_id, status="5.2.2"))
    assert (await suppressed(world))[ANN].why == f"mail to it came back {SOFT_LIMIT} times in 7 days (5.2.2)"
    assert (bounce.receipts[0]["suppressed"], bounce.receipts[0]["counted"]) == ("1", "0")


async def test_an_old_servers_bounce_in_plain_words_is_read(world: World) -> None:
    await world.rules(REPLY)
    text = (
        "From: MAILER-DAEMON@x.example\r\nSubject: failure notice\r\n\r\n<ann@x.example>:\r\n"
        "Sorry, no mailbox here by that name.\r\n\r\n--- Below this line is a copy of the message.\r\n\r\n"
        f"To: ann@x.example\r\nMessage-ID: {await answered(world)}\r\n\r\nHello.\r\n"
    )
    await read(world, "2", text.encode())
    assert set(await suppressed(world)) == {ANN}


async def test_after_a_look_up_the_mail_itself_tells_whom_it_went_to(world: World) -> None:
    await world.rules(REPLY)
    world.provider.failures["send"] = []
    world.provider.lost_answers = 1
    world.provider.deliver("1", mail("ask 1"))
    await world.read_and_drain()
    (open_run,) = await world.runs()
    again = await world.execute(open_run.run.id)
    assert again is not None
    world.clock.forward(again - world.clock())
    assert await world.execute(open_run.run.id) is None
    sent = world.provider.sent[-1]
    world.provider.deliver("found", sent, labels=["SENT"], kind=EventKind.MESSAGE_SENT)
    bounce = await read(world, "2", report(parse_headers(sent).text("Message-ID")))
    assert bounce.receipts[0]["outcome"] == "done"
    assert set(await suppressed(world)) == {ANN}


async def test_a_bounce_that_is_quicker_than_the_answer_to_its_send_waits(world: World) -> None:
    await world.rules(REPLY)
    world.provider.deliver("1", mail("ask 1"))
    world.provider.failures["send"] = [OutcomeUnknown("slow")]
    await world.read_and_drain()
    (run,) = await world.runs()
    await world.execute(run.run.id)
    world.provider.deliver("2", report(f"<{run.run.id}.0.postroom@acme.example>"))
    await world.read_and_drain()
    bounce = await reading(world, "2")
    assert await world.execute(bounce.run.id) is not None
    assert (await reading(world, "2")).why == "the mail that came back is still being sent"


async def test_a_worker_that_dies_behind_the_write_suppresses_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.rules(REPLY)
    message_id = await answered(world)
    real = RedisSuppressions.settle

    async def dies(self: RedisSuppressions, *args: object) -> None:
        await real(self, *args)  # type: ignore[arg-type]
        raise Unavailable("the worker died")

    monkeypatch.setattr(RedisSuppressions, "settle", dies)
    bounce = await read(world, "2", report(message_id, status="4.4.1"))
    assert bounce.state == "done"
    assert await RedisSuppressions(world.base).soft([ANN], world.clock()) == {ANN: 1}


@pytest.mark.parametrize(
    ("rule", "sends", "fetches"),
    [
        pytest.param(
            "{when: {label: Care}, then: [reply: hi]}", False, 1, id="a rule that reads no header sends"
        ),
        pytest.param("{when: {label: Care}, then: [label: A]}", False, 0, id="nobody sends"),
        pytest.param("{when: {label: Care}, then: [label: A]}", True, 1, id="other systems send"),
        pytest.param("{when: {subject: x}, then: [reply: hi]}", False, 1, id="headers are read anyway"),
        pytest.param(
            "{event: hook.shop, when: {payload: {path: a, is: b}}, then: [send: {template: hi, to: a@x.io}]}",
            False,
            0,
            id="the hook of another mailbox sends",
        ),
    ],
)
async def test_headers_are_read_where_bounces_may_come(
    world: World, rule: str, sends: bool, fetches: int
) -> None:
    if sends:
        world.keeper._homes = Homes({BOX: Home(sends=True)})
    await world.rules(rule)
    world.provider.deliver("1", report(FORGED))
    await world.read_and_drain()
    assert world.provider.calls["fetch"] == fetches
    assert await world.matched() == ([("1", BOUNCE_RULE)] if fetches else [])


@pytest.mark.parametrize(
    ("fields", "is_read"),
    [
        pytest.param(f"To: {BOX}\r\n", True, id="to the mailbox"),
        pytest.param("To: Help <help@acme.example>\r\n", True, id="to another address of our domain"),
        pytest.param(f"To: old@y.example\r\nDelivered-To: {BOX}\r\n", True, id="passed on to us"),
        pytest.param("To: undisclosed-recipients:;\r\n", True, id="to nobody by name"),
        pytest.param("To: support\r\n", True, id="to a name without a domain"),
        pytest.param("To: Undisclosed recipients\r\n", True, id="to words that are no address"),
        pytest.param("", True, id="without a word of whom it is for"),
        pytest.param("To: Help@Brand.example\r\n", True, id="to an alias at another domain"),
        pytest.param("To: help+4711@brand.example\r\n", True, id="to an alias with a tag"),
        pytest.param(
            "To: SRS0=HHH=TT=acme.example=Support@passes.example\r\n",
            True,
            id="to what a server that passes mail on made of the mailbox",
        ),
        pytest.param("To: support=acme.example@out.example\r\n", True, id="to what the service made of it"),
        pytest.param("To: a@y.example\r\nIn-Reply-To: <1.0.postroom@z>\r\n", True, id="about mail of ours"),
        pytest.param("To: SRS0=HHH=TT=y.example=b@y.example\r\n", False, id="to what was made of others"),
        pytest.param("To: list-owner@y.example\r\nCc: b@y.example\r\n", False, id="to others alone"),
    ],
)
async def test_a_report_for_others_costs_no_second_look(world: World, fields: str, is_read: bool) -> None:
    world.keeper._homes = Homes(reach=Reach(recipients([BOX], ())))
    world.provider.aliases[BOX] = frozenset({"help@brand.example"})
    world.clock.forward(3_600_000)  # Profiles are read once an hour.
    await world.rules(REPLY)
    world.provider.deliver("1", fields.encode() + report(FORGED))
    await world.read_and_drain()
    assert await world.matched() == ([("1", BOUNCE_RULE)] if is_read else [])
