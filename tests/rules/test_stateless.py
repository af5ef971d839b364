"""Conditions on the text, on lists, on senders, on all attachments together, on results of the server."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.mail.message import Attachment, Message
from engine.mail.mime import from_raw
from engine.mail.needs import Need
from engine.rules.condition import Judged
from engine.rules.evaluation import Verdict
from engine.rules.home import Home
from engine.rules.reasons import reason_of
from engine.rules.view import MAX_BODY, View
from tests.growth import is_linear
from tests.rules.making import NOW, condition, holds, judge, judged, make_message, matched, rules

TEXT = "Hello Ann,\n\nyour ORDER 4711 costs 12 €.\nStraße 1\n"


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        pytest.param("body: {contains: order 4711}", True, id="a part, case ignored"),
        pytest.param("body: {contains: STRASSE}", True, id="folded as everywhere"),
        pytest.param("body: {contains: [none, hello]}", True, id="any of several"),
        pytest.param("body: {starts_with: hello ann}", True, id="its beginning"),
        pytest.param("body: {ends_with: straße 1}", True, id="its end, blanks left out"),
        pytest.param("body: {contains: 'ann,\n\nyour'}", False, id="line breaks in flow style are blanks"),
        pytest.param('body: {contains: "ann,\\n\\nyour"}', True, id="a line break is a line feed"),
        pytest.param(r"body: {regex: '(?m)^your ORDER (?P<order>\d+)'}", True, id="a pattern sees lines"),
        pytest.param("body: {glob: 'hello*1'}", True, id="a glob fits the whole text"),
        pytest.param("body: hello", False, id="a bare value is the whole text"),
        pytest.param("body: {exists: true}", True, id="there is a text"),
        pytest.param("body: {exists: false}", False, id="so there is not none"),
    ],
)
def test_body(asked: str, wanted: bool) -> None:
    assert holds(asked, make_message(text=TEXT)) is wanted


def test_a_blank_text_is_none() -> None:
    assert holds("body: {exists: false}", make_message(text=" \n\t\n"))
    assert not holds("body: ''", make_message(text=""))


def test_body_is_what_a_person_reads() -> None:
    raw = (
        b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html\n\n"
        b"<style>secret</style><p>Your &amp; <b>order</b></p>\n"
        b"--b\nContent-Type: text/plain; name=a.txt\n\nattached words\n--b--\n"
    )
    message = from_raw(raw, key="k")
    assert holds("body: Your & order", message)
    assert not holds("body: {contains: [secret, attached words]}", message)


def test_body_captures() -> None:
    found = judged(r"body: {regex: 'ORDER (?P<order>\d+)'}", make_message(text=TEXT))
    assert found.captures == {"order": "4711"}


def test_a_text_is_read_to_its_bounds() -> None:
    assert holds("body: {contains: end}", make_message(text="x" * (MAX_BODY - 3) + "end"))
    assert not holds("body: {contains: end}", make_message(text="x" * MAX_BODY + "end"))


def test_a_text_that_was_not_fetched_is_asked_for() -> None:
    found = judged("body: {contains: x}", replace(make_message(), _text=None))
    assert found.needs == {Need.BODY}


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param("body: {contains: [ab, 'ba é']}", id="literals"),
        pytest.param("body: {regex: '(a|b|ab)*c$'}", id="a pattern"),
        pytest.param("body: {glob: '*a*b*a*c'}", id="a glob"),
    ],
)
@pytest.mark.parametrize("piece", ["ab", "á́", "ß", "<a"])
def test_a_long_text_takes_linear_time(asked: str, piece: str) -> None:
    loaded = condition(asked)
    assert is_linear(lambda size: loaded.judge(View(make_message(text=piece * size), NOW)), 20_000)


LIST = ("List-Id", '"The developers" <dev.lists.Example>')


@pytest.mark.parametrize(
    ("header", "asked", "wanted"),
    [
        pytest.param(LIST, "list_id: dev.lists.example", True, id="the identifier, case ignored"),
        pytest.param(LIST, "list_id: {contains: developers}", False, id="never its name"),
        pytest.param(LIST, "list_id: {ends_with: .lists.example}", True, id="its end"),
        pytest.param(("List-Id", "dev.lists.example"), "list_id: dev.lists.example", True, id="no brackets"),
        pytest.param(("List-Id", "a <b> <dev.x>"), "list_id: dev.x", True, id="the last brackets"),
        pytest.param(("List-Id", "a <dev.x"), "list_id: dev.x", True, id="brackets left open"),
        pytest.param(("List-Id", "a (<not.this>) <dev.x>"), "list_id: not.this", False, id="none before"),
        pytest.param(("Subject", "x"), "list_id: {exists: true}", False, id="mail by no list"),
        pytest.param(("Subject", "x"), "list_id: {exists: false}", True, id="which can be asked"),
    ],
)
def test_list_id(header: tuple[str, str], asked: str, wanted: bool) -> None:
    assert holds(asked, make_message(header)) is wanted


ANN, BOB = ("From", "Ann <ann@x.example>"), ("Sender", "Bob <bob@y.example>")


def test_the_sender_is_who_handed_it_in_else_its_author() -> None:
    assert holds("sender: bob@y.example", make_message(ANN, BOB))
    assert not holds("sender: ann@x.example", make_message(ANN, BOB))
    assert holds("sender: {domain: x.example, name: Ann}", make_message(ANN))
    assert holds("sender: ann@x.example", make_message(ANN, ("Sender", "")))
    assert holds("sender: {exists: false}", make_message())
    asked = condition("sender: '@y.example'")
    assert "bob@y.example" in reason_of(asked, View(make_message(ANN, BOB), NOW), "when").text


def test_answers_and_blind_copies_have_their_own_addresses() -> None:
    message = make_message(("Reply-To", "Desk <desk@x.example>"), ("Bcc", "boss@x.example"))
    assert holds("reply_to: {name: Desk, domain: x.example}", message)
    assert holds("bcc: boss@x.example", message)
    assert not holds("bcc: desk@x.example", message)
    assert holds("reply_to: {exists: false}", make_message(ANN))


FILES = (Attachment("a.pdf", "application/pdf", 2_000_000), Attachment("b.png", "image/png", 500_000))


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        pytest.param("attachments: {count: 2}", True, id="just so many"),
        pytest.param("attachments: {count: {gt: 2}}", False, id="more than there are"),
        pytest.param("attachments: {count: {gte: 1, lt: 3}}", True, id="a range"),
        pytest.param("attachments: {total_size: 2.5MB}", True, id="their sum"),
        pytest.param("attachments: {total_size: {lt: 2MB}}", False, id="not the largest alone"),
        pytest.param("attachments: {count: 2, total_size: {gt: 3MB}}", False, id="all that is given"),
    ],
)
def test_attachments(asked: str, wanted: bool) -> None:
    assert holds(asked, make_message(files=FILES)) is wanted


def test_no_attachments_are_none() -> None:
    assert holds("attachments: {count: 0}", make_message())
    assert holds("attachments: {total_size: {lt: 1KB}}", make_message())
    assert not holds("attachments: {count: {gt: 0}}", make_message())


PDF = Attachment("a.pdf", "application/octet-stream", 10, "application/pdf", "ab" * 32)
FAKE = Attachment("b.pdf", "application/pdf", 5_000, "application/x-msdownload", "cd" * 32)


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        pytest.param("attachment: {type: pdf, size: {lt: 1KB}}", True, id="sniffed"),
        pytest.param("attachment: {type: pdf, size: {gt: 1KB}}", True, id="declared"),
        pytest.param("attachment: {type: exe}", True, id="what another type hides"),
        pytest.param("attachment: {type: exe, name: a.pdf}", False, id="not of one and the same"),
        pytest.param(f"attachment: {{sha256: {'AB' * 32}, type: pdf}}", True, id="by digest"),
        pytest.param(f"attachment: {{sha256: {'ab' * 32}, name: b.pdf}}", False, id="another's digest"),
    ],
)
def test_all_keys_speak_of_one_attachment(asked: str, wanted: bool) -> None:
    assert holds(asked, make_message(files=[PDF, FAKE])) is wanted


SEALED = [
    pytest.param(("X-Zoom-Encryption", "s=Server; t=1"), id="by Zoom"),
    pytest.param(("Content-Type", "multipart/encrypted; boundary=x"), id="by PGP/MIME"),
    pytest.param(("Content-Type", "application/pkcs7-mime; smime-type=enveloped-data"), id="by S/MIME"),
]


@pytest.mark.parametrize("header", SEALED)
@pytest.mark.parametrize(
    "asked",
    [
        "body: {contains: x}",
        "body: {exists: false}",
        "attachment: true",
        "attachment: false",
        "attachment: {type: pdf}",
        "attachments: {count: 0}",
        "is: calendar",
        "not: {body: {contains: x}}",
    ],
)
def test_what_is_encrypted_is_unknown_at_once_and_for_good(header: tuple[str, str], asked: str) -> None:
    whole = make_message(header, text="x", files=[Attachment("x.asc", "text/plain", 1, "", "")])
    for message in (whole, replace(whole, _text=None, _attachments=None)):
        found = judged(asked, message)
        assert found.verdict is Verdict.UNDECIDED
        assert not found.needs
        assert "encrypted" in found.why


def test_a_subject_that_is_encrypted_is_unknown() -> None:
    sealed = make_message(("X-Zoom-Encryption", "s"), ("Subject", "Zoom Encrypted Email"))
    for asked in ("subject: {contains: zoom}", "is: forward", "header: {name: Subject, exists: true}"):
        assert judged(asked, sealed) == Judged(Verdict.UNDECIDED, why=judged(asked, sealed).why)
    assert holds("is: encrypted", sealed)
    open_subject = make_message(("Content-Type", "multipart/encrypted"), ("Subject", "Order 7"))
    assert holds("subject: {contains: order}", open_subject)


def test_a_rule_on_the_sender_alone_still_holds_of_encrypted_mail() -> None:
    ruleset = rules(
        "rules:\n"
        "- {id: both, when: {all: [{from: '@y.example'}, {body: {contains: x}}]}, then: [{label: A}]}\n"
        "- {id: sender, when: {from: '@x.example'}, then: [{label: B}]}\n"
    )
    found = judge(ruleset, make_message(ANN, ("X-Zoom-Encryption", "s")))
    assert matched(found) == ["sender"]
    assert not found.undecided


def test_an_invitation_is_seen_wherever_it_stands() -> None:
    raw = (
        b"Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\nx\n"
        b"--b\nContent-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR\n--b--\n"
    )
    assert holds("is: calendar", from_raw(raw, key="k"))
    assert holds("is: calendar", make_message(("Content-Class", "urn:content-classes:calendarmessage")))
    assert not holds("is: calendar", make_message())


RESULT = ("Authentication-Results", "mx.acme.example; spf=softfail; dkim=pass; dmarc=fail")
SERVER = Home(authserv_ids=frozenset({"mx.acme.example"}))


def auth(asked: str, message: Message, home: Home = SERVER) -> Judged:
    return condition(f"auth: {asked}").judge(View(message, NOW, home=home))


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        pytest.param("{dkim: pass}", Verdict.MATCHED, id="a result"),
        pytest.param("{dmarc: pass}", Verdict.NOT_MATCHED, id="another result"),
        pytest.param("{spf: [fail, softfail]}", Verdict.MATCHED, id="one of several"),
        pytest.param("{dkim: pass, dmarc: pass}", Verdict.NOT_MATCHED, id="all methods must hold"),
        pytest.param("{dkim: pass, dmarc: fail}", Verdict.MATCHED, id="and do"),
    ],
)
def test_auth(asked: str, wanted: Verdict) -> None:
    assert auth(asked, make_message(RESULT)).verdict is wanted


def test_nobody_is_believed_where_the_server_has_no_name() -> None:
    found = auth("{dkim: pass}", make_message(RESULT), Home())
    assert found.verdict is Verdict.UNDECIDED
    assert not found.needs
    assert "authserv_id is not configured" in found.why


def test_a_message_without_results_holds_none() -> None:
    for home in (SERVER, Home()):
        assert auth("{dkim: none}", make_message(), home).verdict is Verdict.NOT_MATCHED


def test_a_reason_tells_the_results_that_are_believed() -> None:
    view = View(make_message(RESULT), NOW, home=SERVER)
    assert (
        "found spf=softfail, dkim=pass, dmarc=fail"
        in reason_of(condition("auth: {spf: pass}"), view, "").text
    )
    bare = View(make_message(("Authentication-Results", "x.example; spf=pass")), NOW, home=SERVER)
    assert "no results of the receiving server" in reason_of(condition("auth: {spf: pass}"), bare, "").text
