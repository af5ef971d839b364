"""Outgoing mail: right on the wire, the same each time, and never more than its fields."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.mail.address import Address, parse_addresses
from engine.mail.compose import MAX_REFERENCES, Outgoing, UnsendableError, compose, is_sendable, reply_headers
from engine.mail.headers import Headers, parse_headers
from engine.mail.message import Message

PLAIN = Outgoing(
    from_=Address("Acme Support", "support@acme.example"),
    to=(Address("Ann", "ann@partner.example"),),
    subject="We have your invoice",
    text="Hello Ann\n",
    html="<p>Hello Ann</p>\n",
    message_id="<run.0.postroom@acme.example>",
    date=datetime(2026, 3, 2, 10, 0, tzinfo=UTC),
)


def read(raw: bytes) -> EmailMessage:
    return message_from_bytes(raw, policy=SMTP)


def message(*fields: tuple[str, str]) -> Message:
    return Message(key="1", _headers=Headers(fields))


@given(
    st.lists(st.text(max_size=30) | st.text("é漢𝒳", min_size=300, max_size=400), min_size=1, max_size=5),
    st.sampled_from(["ann@x.example", '"<b@y.example>, c"@x.example', "ann@[127.0.0.1]", "a+b@x.example."]),
)
@settings(max_examples=60)
def test_whom_a_mail_is_to_is_read_back_as_it_was_meant(names: list[str], address: str) -> None:
    to = tuple(Address(name, address) for name in names)
    found = parse_addresses(parse_headers(compose(replace(PLAIN, to=to))).all("To"))
    assert [one.normal for one in found] == [one.normal for one in to]


def test_a_field_that_could_not_be_read_whole_is_not_written() -> None:
    crowd = tuple(Address("漢" * 200, f"a{number}@x.example") for number in range(100))
    with pytest.raises(UnsendableError, match="To has"):
        compose(replace(PLAIN, to=crowd))


def test_both_bodies_are_carried_as_alternatives() -> None:
    mail = read(compose(replace(PLAIN, text="Grüße\n", html="<p>Grüße</p>\n")))
    assert mail.get_content_type() == "multipart/alternative"
    parts = [(part.get_content_type(), part.get_content()) for part in mail.iter_parts()]
    assert parts == [("text/plain", "Grüße\r\n"), ("text/html", "<p>Grüße</p>\r\n")]
    assert mail["MIME-Version"] == "1.0"
    assert not mail.defects


def test_a_second_attempt_sends_the_same_bytes() -> None:
    assert compose(PLAIN) == compose(replace(PLAIN))
    assert compose(PLAIN) != compose(replace(PLAIN, message_id="<run.1.postroom@acme.example>"))


def test_every_line_ends_with_crlf_and_is_short_seven_bit() -> None:
    raw = compose(
        replace(PLAIN, subject="ü" * 300, text="é" * 5000 + "\nx" * 3 + "y" * 2000, html="z" * 3000)
    )
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 78


def test_an_answer_names_its_thread_and_that_no_person_wrote_it() -> None:
    references = tuple(f"<{'a' * 90}{number}@x.example>" for number in range(5))
    raw = compose(replace(PLAIN, in_reply_to=references[-1], references=references, auto="auto-replied"))
    headers = parse_headers(raw)
    assert headers.text("In-Reply-To") == references[-1]
    assert headers.text("References").split() == list(references)
    assert headers.text("Auto-Submitted") == "auto-replied"


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("Ann", id="plain atoms"),
        pytest.param("Smith, Ann (Sales) <x@y>", id="specials are quoted"),
        pytest.param('Ann "the \\ boss" Smith', id="quotes and backslashes"),
        pytest.param("Müller, Jürgen", id="a comma in an encoded name"),
        pytest.param("株式会社アクメ 経理部 請求書担当 山田太郎 " * 3, id="a long Japanese name"),
        pytest.param("=?utf-8?q?x?=", id="what looks like an encoded word"),
        pytest.param("long " * 30, id="a long plain name"),
    ],
)
def test_a_display_name_arrives_as_written(name: str) -> None:
    raw = compose(replace(PLAIN, to=(Address(name, "ann@x.example"), Address("", "bo@x.example"))))
    found = parse_addresses(parse_headers(raw).all("To"))
    assert found == (Address(name.strip(), "ann@x.example"), Address("", "bo@x.example"))


@settings(max_examples=100)
@given(st.text(max_size=120))
def test_any_subject_arrives_and_adds_no_field(subject: str) -> None:
    raw = compose(replace(PLAIN, subject=subject, headers={"X-Note": subject}))
    headers = parse_headers(raw)
    names = ["From", "To", "Subject", "Date", "Message-ID", "X-Note", "MIME-Version", "Content-Type"]
    assert sorted(name for name, _ in headers) == sorted(names)
    wanted = re.sub(r"[\x00-\x1f\x7f\x85\u2028\u2029\ud800-\udfff]+", " ", subject)
    assert headers.text("Subject").split() == wanted.split()


@settings(max_examples=100)
@given(st.text(max_size=300), st.text(max_size=300))
def test_any_body_gives_two_parts(text: str, html: str) -> None:
    mail = read(compose(replace(PLAIN, text=text, html=html)))
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]


def test_a_body_cannot_forge_the_boundary() -> None:
    boundary = read(compose(PLAIN)).get_boundary()
    forged = f"x\n--{boundary}\nContent-Type: application/x-evil\n\nboo\n--{boundary}--\n"
    assert len(list(read(compose(replace(PLAIN, text=forged))).iter_parts())) == 2


@pytest.mark.parametrize(
    ("change", "named"),
    [
        pytest.param({"to": ()}, "nobody", id="nobody to send to"),
        pytest.param(
            {"to": (Address("", "a@x.example\r\nBcc: b@y.example"),)}, "To", id="a break in an address"
        ),
        pytest.param({"to": (Address("", "a b@x.example"),)}, "To", id="a blank in an address"),
        pytest.param({"to": (Address("", "a@x.example>, <b@y.example"),)}, "To", id="two addresses in one"),
        pytest.param({"to": (Address("", "jürgen@x.example"),)}, "To", id="a local part beyond ASCII"),
        pytest.param({"from_": Address("x", "nowhere")}, "From", id="a sender without a domain"),
        pytest.param({"message_id": "<a@b>\r\nX: y"}, "Message-ID", id="a break in the message id"),
        pytest.param({"in_reply_to": "no id"}, "In-Reply-To", id="an answer to no id"),
        pytest.param({"headers": {"X-A\r\nBcc": "y"}}, "header field", id="a break in a field name"),
        pytest.param({"headers": {"Bcc": "a@b.example"}}, "header field", id="a recipient smuggled in"),
        pytest.param({"headers": {"Content-Type": "text/html"}}, "header field", id="another content type"),
    ],
)
def test_what_cannot_be_sent_is_refused(change: dict[str, object], named: str) -> None:
    with pytest.raises(UnsendableError, match=named):
        compose(replace(PLAIN, **change))  # type: ignore[arg-type]


def test_an_international_domain_is_sent_as_a_labels() -> None:
    raw = compose(replace(PLAIN, to=(Address("", "ann@bücher.example"),)))
    assert parse_headers(raw).text("To") == "ann@xn--bcher-kva.example"


@pytest.mark.parametrize(
    ("subject", "wanted"),
    [
        pytest.param("Order 5", "Re: Order 5", id="a first answer"),
        pytest.param("RE: Order 5", "RE: Order 5", id="an answer to an answer"),
        pytest.param("", "Re:", id="an answer to no subject"),
    ],
)
def test_an_answer_says_re_once(subject: str, wanted: str) -> None:
    assert reply_headers(message(("Subject", subject))).subject == wanted


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        pytest.param([("Message-ID", "<3@x>"), ("References", "<1@x>\n <2@x>")], ("<1@x>", "<2@x>", "<3@x>"),
                     id="references grow by the parent"),
        pytest.param([("Message-ID", "<3@x>"), ("In-Reply-To", "<2@x>")], ("<2@x>", "<3@x>"),
                     id="without references the parent's parent stands in"),
        pytest.param([("References", "<1@x>")], ("<1@x>",), id="a parent without an id"),
        pytest.param([("Message-ID", "broken")], (), id="a parent with a broken id"),
        pytest.param([("Message-ID", "<1@x>"), ("References", "<1@x>")], ("<1@x>",),
                     id="a parent that names itself"),
    ],
)  # fmt: skip
def test_references_follow_the_parent(fields: list[tuple[str, str]], wanted: tuple[str, ...]) -> None:
    assert reply_headers(message(*fields)).references == wanted


def test_long_threads_keep_their_root_and_their_end() -> None:
    known = " ".join(f"<{number}@x>" for number in range(500))
    found = reply_headers(message(("Message-ID", "<p@x>"), ("References", known))).references
    assert len(found) == MAX_REFERENCES
    assert (found[0], found[-1]) == ("<0@x>", "<p@x>")


def test_an_answer_goes_to_one_address_reply_to_before_from() -> None:
    many = message(("Reply-To", "b@x.example, c@x.example"), ("From", "a@x.example"))
    assert reply_headers(many).to == Address("", "b@x.example")
    assert reply_headers(message(("From", "a@x.example"))).to == Address("", "a@x.example")
    assert reply_headers(message()).to is None


@pytest.mark.parametrize(
    ("domain", "sendable"),
    [
        pytest.param("x" * 63 + ".example", True, id="the longest label"),
        pytest.param("x" * 64 + ".example", False, id="a label that is too long"),
        pytest.param(".".join(["x" * 49] * 5) + ".abc", True, id="the longest domain"),
        pytest.param(".".join(["x" * 49] * 5) + ".abcd", False, id="a domain that is too long"),
        pytest.param("x..example", False, id="an empty label"),
        pytest.param("[192.0.2.1]", True, id="a literal"),
    ],
)
def test_domains_have_bounds(domain: str, sendable: bool) -> None:
    assert is_sendable(Address("", f"ann@{domain}")) is sendable
