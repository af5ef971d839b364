"""Conditions on addresses, labels, attachments, sizes and facts."""

from __future__ import annotations

import json
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.mail.message import Attachment, Message
from engine.rules.people import address_set
from engine.rules.view import MAX_PEOPLE, View
from tests.rules.making import NOW, holds, make_message

ANN = ("From", "Ann Müller <Ann@Sales.Partner.Example>")

FROM = [
    pytest.param("from: ann@sales.partner.example", True, id="the whole address, case ignored"),
    pytest.param("from: '@sales.partner.example'", True, id="short for a domain"),
    pytest.param("from: {domain: sales.partner.example}", True, id="the exact domain"),
    pytest.param("from: {domain: partner.example}", False, id="a domain does not cover its subdomains"),
    pytest.param("from: {domain: '*.partner.example'}", True, id="subdomains"),
    pytest.param("from: {domain: '*.sales.partner.example'}", False, id="a domain is not below itself"),
    pytest.param("from: {domain: [x.example, '*.example']}", True, id="any of several domains"),
    pytest.param("from: {glob: 'a*@*.partner.example'}", True, id="a glob of the whole address"),
    pytest.param("from: {regex: '^Ann@'}", True, id="a pattern sees the address as written"),
    pytest.param("from: {regex: '^ann@'}", False, id="and minds case"),
    pytest.param("from: {name: {contains: MÜLLER}}", True, id="the display name"),
    pytest.param("from: {name: Ann}", False, id="the whole display name"),
    pytest.param("from: {list: vips}", True, id="a list with its domain"),
    pytest.param("from: {list: others}", False, id="another list"),
    pytest.param("from: {list: [others, vips]}", True, id="any of two lists"),
    pytest.param("from: {domain: sales.partner.example, name: Bob}", False, id="one kind that does not hold"),
    pytest.param("from: {exists: true}", True, id="there is a sender"),
    pytest.param(
        "from: ['@x.example', ann@sales.partner.example]", True, id="addresses and domains in one list"
    ),
]
LISTS = {"vips": ("boss@x.example", "@sales.partner.example"), "others": ("bob@x.example",)}


@pytest.mark.parametrize(("asked", "wanted"), FROM)
def test_from(asked: str, wanted: bool) -> None:
    assert holds(asked, make_message(ANN), lists=LISTS) is wanted


@pytest.mark.parametrize("written", ["bücher.example", "BÜCHER.example", "xn--bcher-kva.example"])
@pytest.mark.parametrize("asked", ["bücher.example", "xn--bcher-kva.example"])
def test_domains_compare_in_any_spelling(written: str, asked: str) -> None:
    message = make_message(("From", f"a@{written}"))
    assert holds(f"from: {{domain: {asked}}}", message)
    assert holds(f"from: a@{asked}", message)


def test_a_display_name_is_never_an_address() -> None:
    message = make_message(("From", '"ceo@acme.example" <x@evil.example>'))
    assert not holds("from: ceo@acme.example", message)
    assert not holds("from: '@acme.example'", message)
    assert holds("from: {name: {contains: '@acme.example'}}", message)


def test_all_kinds_hold_of_one_and_the_same_address() -> None:
    message = make_message(("To", "Ann <ann@x.example>, Bob <bob@y.example>"))
    assert holds("to: {domain: y.example, name: Bob}", message)
    assert not holds("to: {domain: y.example, name: Ann}", message)


@pytest.mark.parametrize("field", ["To", "Cc", "Bcc", "Delivered-To"])
def test_recipient_looks_at_every_field_that_names_one(field: str) -> None:
    assert holds("recipient: support@acme.example", make_message((field, "Support@acme.example")))


def test_nobody_is_copied() -> None:
    assert holds("cc: {exists: false}", make_message(("To", "a@b.example")))
    assert not holds("cc: {exists: false}", make_message(("Cc", "a@b.example")))


LABELS = [
    pytest.param("label: Finance/Invoices", True, id="the full path"),
    pytest.param("label: finance/invoices", False, id="case matters"),
    pytest.param("label: Finance", False, id="a parent is another label"),
    pytest.param("label: [Finance, INBOX]", True, id="any of several"),
    pytest.param("label: {starts_with: Finance/}", True, id="all below a parent"),
    pytest.param("label: {glob: 'fin*'}", False, id="case matters to globs too"),
    pytest.param("label: {regex: '^Finance/(?P<kind>\\w+)$'}", True, id="a pattern"),
    pytest.param("label: {exists: false}", False, id="any label at all"),
]


@pytest.mark.parametrize(("asked", "wanted"), LABELS)
def test_label(asked: str, wanted: bool) -> None:
    assert holds(asked, make_message(labels=["INBOX", "Finance/Invoices"])) is wanted


PDF = Attachment(
    "Rechnung März.PDF", "application/octet-stream", 2_000_000, sniffed="application/pdf", sha256="ab" * 32
)
PNG = Attachment("logo.png", "image/png", 5_000, sniffed="", sha256="cd" * 32)
CALLED_PDF = Attachment("a.pdf", "application/pdf", 10_000, sniffed="application/zip", sha256="ef" * 32)

FILES = [
    pytest.param("attachment: true", [PNG], True, id="any at all"),
    pytest.param("attachment: true", [], False, id="none at all"),
    pytest.param("attachment: false", [], True, id="asked for none"),
    pytest.param("attachment: {type: pdf}", [PDF], True, id="by its first bytes"),
    pytest.param("attachment: {type: pdf}", [CALLED_PDF], True, id="by its declared type"),
    pytest.param("attachment: {type: zip}", [CALLED_PDF], True, id="by either of them"),
    pytest.param("attachment: {type: image/*}", [PNG], True, id="a family of types"),
    pytest.param("attachment: {type: [gif, IMAGE/PNG]}", [PNG], True, id="any of several types"),
    pytest.param("attachment: {type: application/pdf, size: {gt: 1MB}}", [PDF], True, id="type and size"),
    pytest.param(
        "attachment: {type: image/*, size: {gt: 1MB}}", [PDF, PNG], False, id="of one and the same file"
    ),
    pytest.param("attachment: {name: {ends_with: .pdf}}", [PDF], True, id="the name, case ignored"),
    pytest.param("attachment: {name: {contains: MÄRZ}}", [PDF], True, id="the name, folded"),
    pytest.param(f"attachment: {{sha256: {'AB' * 32}}}", [PNG, PDF], True, id="a digest"),
    pytest.param(
        f"attachment: {{sha256: {'ab' * 32}, type: png}}", [PNG, PDF], False, id="a digest of another"
    ),
]


@pytest.mark.parametrize(("asked", "files", "wanted"), FILES)
def test_attachment(asked: str, files: list[Attachment], wanted: bool) -> None:
    assert holds(asked, make_message(files=files)) is wanted


SIZES = [
    ("size: {gt: 1MB}", 1_000_001, True),
    ("size: {gt: 1MB}", 1_000_000, False),
    ("size: {gte: 1MB}", 1_000_000, True),
    ("size: {gt: 1MiB}", 1_048_576, False),
    ("size: {lt: 1.5 KB}", 1_499, True),
    ("size: {lte: 1KiB}", 1_024, True),
    ("size: {gte: 10B, lt: 20B}", 20, False),
    ("size: 500B", 500, True),
    ("size: {eq: 2k}", 2_000, True),
]


@pytest.mark.parametrize(("asked", "size", "wanted"), SIZES)
def test_size(asked: str, size: int, wanted: bool) -> None:
    assert holds(asked, make_message(size=size)) is wanted


seen_message = partial(make_message, labels=["INBOX"])

FACTS = [
    pytest.param("unread", make_message(labels=["UNREAD"]), id="unread"),
    pytest.param("starred", make_message(labels=["STARRED"]), id="starred"),
    pytest.param("important", make_message(labels=["IMPORTANT"]), id="important"),
    pytest.param("reply", seen_message(("In-Reply-To", "<a@b>")), id="a reply by its parent"),
    pytest.param("reply", seen_message(("References", "<a@b>")), id="a reply by its thread"),
    pytest.param("forward", seen_message(("Subject", "Fwd: x")), id="a forward"),
    pytest.param("forward", seen_message(("Subject", "WG: x")), id="a German forward"),
    pytest.param(
        "encrypted", seen_message(("Content-Type", "multipart/encrypted; boundary=x")), id="PGP/MIME"
    ),
    pytest.param(
        "encrypted",
        seen_message(("Content-Type", "application/pkcs7-mime; smime-type=enveloped-data")),
        id="S/MIME",
    ),
    pytest.param(
        "signed",
        seen_message(("Content-Type", "application/pkcs7-mime; smime-type=signed-data")),
        id="opaque S/MIME",
    ),
    pytest.param(
        "signed", seen_message(("Content-Type", "Multipart/Signed; boundary=x")), id="a clear signature"
    ),
    pytest.param(
        "calendar", seen_message(("Content-Type", "text/calendar; method=REQUEST")), id="a bare invitation"
    ),
    pytest.param(
        "calendar", seen_message(files=[Attachment("i.ics", "text/calendar", 1)]), id="an attached invitation"
    ),
]


@pytest.mark.parametrize(("fact", "message"), FACTS)
def test_a_fact_is_seen_and_no_other(fact: str, message: Message) -> None:
    known = {"unread", "starred", "important", "reply", "forward", "encrypted", "signed", "calendar"}
    if fact == "encrypted":
        known.remove("calendar")  # Nobody can tell.
    assert {each for each in known if holds(f"is: {each}", message)} == {fact}


def test_of_several_facts_one_is_enough() -> None:
    assert holds("is: [starred, unread]", make_message(labels=["UNREAD"]))
    assert not holds("is: [starred, important]", make_message(labels=["UNREAD"]))


def test_automated_mail_by_kind() -> None:
    message = make_message(("List-Id", "<l.example>"))
    assert holds("automated: true", message)
    assert holds("automated: [bounce, list]", message)
    assert not holds("automated: bounce", message)
    assert not holds("automated: false", message)
    assert holds("automated: false", make_message())


def test_logic_nests_freely() -> None:
    message = make_message(ANN, ("Subject", "hello"))
    asked = "all: [{any: [{subject: x}, {not: {subject: y}}]}, {none: [{subject: z}, {label: Z}]}]"
    assert holds(asked, message)


@pytest.mark.parametrize("address", ["a@bücher.example", "a@BÜCHER.example", "a@xn--bcher-kva.example"])
@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        pytest.param("*@bücher.example", True, id="written in letters"),
        pytest.param("*@xn--bcher-kva.example", True, id="written in A-labels"),
        pytest.param("*@b*cher.example", True, id="a wildcard among the letters"),
        pytest.param("A@B?CHER.*", True, id="one character, case ignored"),
        pytest.param("*@bucher.example", False, id="other letters"),
        pytest.param("bü*@*", False, id="no such local part"),
    ],
)
def test_a_glob_fits_both_spellings_of_a_domain(asked: str, wanted: bool, address: str) -> None:
    assert holds(f"from: {{glob: '{asked}'}}", make_message(("From", address))) is wanted


@pytest.mark.parametrize(
    ("asked", "message", "wanted"),
    [
        pytest.param(
            "subject: {glob: '" + 3_999 * "ß" + "*'}", ("Subject", "ss" * 3_999), True,
            id="a glob that grows beyond its limit when case is ignored",
        ),
        pytest.param("from: {glob: ' '}", ("From", "just words"), False, id="a glob of blanks"),
    ],
)  # fmt: skip
def test_a_glob_that_can_be_loaded_can_be_judged(asked: str, message: tuple[str, str], wanted: bool) -> None:
    assert holds(asked, make_message(message)) is wanted


def test_only_so_many_addresses_of_a_field_are_looked_at() -> None:
    people = ", ".join(f"u{number}@x.example" for number in range(MAX_PEOPLE + 1))
    view = View(make_message(("To", people), ("Cc", people)), NOW)
    assert len(view.people(("To",)).each) == MAX_PEOPLE
    both = view.people(("To", "Cc"))
    assert len(both.each) == 2 * MAX_PEOPLE
    assert both.each[0] is view.people(("To",)).each[0]
    assert view.people(("To", "Cc")) is both


@settings(max_examples=100, deadline=None)
@given(
    people=st.lists(st.sampled_from(["a@x.example", "b@s.x.example", "c@y.example", "root", "<>"])),
    wanted=st.sets(
        st.sampled_from(["a@x.example", "@x.example", "@*.x.example", "@y.example"]), min_size=1
    ).map(sorted),
)
def test_all_addresses_at_once_match_as_each_by_itself(people: list[str], wanted: list[str]) -> None:
    message = make_message(("To", ", ".join(people)))
    asked = f"to: {json.dumps(wanted)}"
    whole = address_set(wanted)
    each = View(message, NOW).people(("To",)).each
    assert holds(asked, message) is any(whole.has(person) for person in each)
