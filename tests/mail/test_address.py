"""Addresses, their lists and domains."""

from __future__ import annotations

from email.headerregistry import Address as Written

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.address import (
    MAX_ADDRESS_FIELDS,
    MAX_ADDRESS_TEXT,
    MAX_ADDRESSES,
    Address,
    normal_domain,
    parse_address,
    parse_addresses,
)
from engine.mail.address_list import _others, mailboxes
from tests.growth import is_linear


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("ann@x.example", [("", "ann@x.example")], id="an address alone"),
        pytest.param("Ann <ann@x.example>", [("Ann", "ann@x.example")], id="name and address"),
        pytest.param('"Doe, Ann" <a@x>, b@x', [("Doe, Ann", "a@x"), ("", "b@x")], id="a comma in quotes"),
        pytest.param('"A \\"B\\" C" <a@x>', [('A "B" C', "a@x")], id="escaped quotes"),
        pytest.param("a@x (Ann (nested) B)", [("Ann (nested) B", "a@x")], id="the name in a comment"),
        pytest.param("Team: a@x, B <b@x>;, c@x", [("", "a@x"), ("B", "b@x"), ("", "c@x")], id="a group"),
        pytest.param("undisclosed-recipients:;", [], id="an empty group"),
        pytest.param("<@r,@s:a@x>", [("", "a@x")], id="an obsolete route"),
        pytest.param("A <a@x (c).  example>", [("A", "a@x.example")], id="blanks and a comment in a domain"),
        pytest.param("a @ x", [("", "a@x")], id="blanks around the at sign"),
        pytest.param(
            "(c1) ann (c2) @ (c3) x.example (c4)", [("c1 c2 c3 c4", "ann@x.example")], id="comments all over"
        ),
        pytest.param("<ann (c) @ (d) x.example>", [("c d", "ann@x.example")], id="comments in brackets"),
        pytest.param('"a b"@x', [("", '"a b"@x')], id="a quoted local part"),
        pytest.param("a@[IPv6:2001:db8::1]", [("", "a@[IPv6:2001:db8::1]")], id="a domain literal"),
        pytest.param("root", [("", "root")], id="a local name"),
        pytest.param("<>", [], id="the null path"),
        pytest.param("MAILER-DAEMON <>", [("MAILER-DAEMON", "")], id="a name with the null path"),
        pytest.param("=?utf-8?q?Gr=C3=BCn?= <g@x>", [("Grün", "g@x")], id="an encoded name"),
        pytest.param('"=?utf-8?q?Gr=C3=BCn?=" <g@x>', [("Grün", "g@x")], id="an encoded name in quotes"),
        pytest.param(
            "=?utf-8?q?Doe,_Ann?= <a@x>", [("Doe, Ann", "a@x")], id="a raw comma in an encoded name"
        ),
        pytest.param(
            "=?utf-8?q?<x@evil>?= <a@x>", [("<x@evil>", "a@x")], id="raw brackets in an encoded name"
        ),
        pytest.param("=?utf-8?q?=3Cx=40evil=3E?= <a@x>", [("<x@evil>", "a@x")], id="encoded brackets"),
        pytest.param("=?utf-8?q?x=40evil?=", [("x@evil", "")], id="an encoded address is a name"),
        pytest.param("<=?utf-8?q?x=40evil?=>", [], id="an encoded address in brackets is none"),
        pytest.param("Grün <grün@x.example>", [("Grün", "grün@x.example")], id="raw UTF-8"),
        pytest.param("Doe, Ann <a@x>", [("Doe, Ann", "a@x")], id="a comma without quotes"),
        pytest.param("Team ,_<a@x>", [("Team, _", "a@x")], id="a comma before the brackets"),
        pytest.param("a@x, Ann", [("", "a@x"), ("", "Ann")], id="a word after the last comma"),
        pytest.param("A@B Corp <a@x>", [("A@B Corp", "a@x")], id="an at sign in the name"),
        pytest.param("Ann a@x", [("Ann", "a@x")], id="no brackets"),
        pytest.param('"Ann" a@x>', [("Ann", "a@x")], id="only the closing bracket"),
        pytest.param("Ann <a@x, b@x", [("Ann", "a@x"), ("", "b@x")], id="only the opening bracket"),
        pytest.param("a@x b@x", [("", "a@x"), ("", "b@x")], id="no comma between"),
        pytest.param("A <a@x> <b@x>", [("A", "a@x"), ("", "b@x")], id="two in brackets"),
        pytest.param("<<a@x>>", [("", "a@x")], id="double brackets"),
        pytest.param("a@x; b@x", [("", "a@x"), ("", "b@x")], id="semicolons between"),
        pytest.param("<mailto:a@x>", [("", "a@x")], id="mailto in brackets"),
        pytest.param("mailto:a@x", [("", "a@x")], id="mailto alone"),
        pytest.param("'a@x'", [("", "a@x")], id="single quotes around"),
        pytest.param("<x.example a@x.example>", [("", "a@x.example")], id="a word inside the brackets"),
        pytest.param("<{a,b}@x>", [("", "{a,b}@x")], id="a comma inside the local part"),
        pytest.param("a@b@x", [("", "a@b@x")], id="two at signs"),
        pytest.param('"Ann <a@x>', [("Ann", "a@x")], id="a quote that never ends"),
        pytest.param("Ann (x <a@x>", [("Ann x", "a@x")], id="a comment that never ends"),
        pytest.param("Mail Service", [("Mail Service", "")], id="a name alone"),
        pytest.param(" \0", [], id="nothing"),
    ],
)
def test_reads_what_can_be_had(value: str, expected: list[tuple[str, str]]) -> None:
    found = [(one.name, one.address) for one in parse_addresses([value])]
    assert found == expected


@pytest.mark.parametrize(
    ("address", "local", "domain", "normal"),
    [
        pytest.param("Ann@X.Example", "Ann", "x.example", "ann@x.example", id="case"),
        pytest.param(
            "ann@bücher.example", "ann", "xn--bcher-kva.example", "ann@xn--bcher-kva.example", id="IDN"
        ),
        pytest.param("ann@x.example.", "ann", "x.example", "ann@x.example", id="a dot at the end"),
        pytest.param('"ann"@x', "ann", "x", "ann@x", id="quotes that say nothing"),
        pytest.param('"a\\"b"@x', 'a"b', "x", 'a"b@x', id="an escaped quote"),
        pytest.param("STRASSE@x", "STRASSE", "x", "strasse@x", id="folding of the local part"),
        pytest.param("Root", "Root", "", "root", id="no domain"),
        pytest.param("a@b@x", "a@b", "x", "a@b@x", id="two at signs"),
        pytest.param("", "", "", "", id="nothing"),
    ],
)
def test_parts_of_an_address(address: str, local: str, domain: str, normal: str) -> None:
    one = Address("", address)
    assert (one.local, one.domain, one.normal) == (local, domain, normal)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("BÜCHER.example", "xn--bcher-kva.example", id="upper case beyond ASCII"),
        pytest.param("bu\u0308cher.example", "xn--bcher-kva.example", id="decomposed"),
        pytest.param("bücher。example", "xn--bcher-kva.example", id="an ideographic full stop"),
        pytest.param("xn--BCHER-kva.example", "xn--bcher-kva.example", id="an A-label"),
        pytest.param("i❤.example", "xn--i-7iq.example", id="an emoji, outside IDNA 2008"),
        pytest.param("a_b.example", "a_b.example", id="an underscore"),
        pytest.param("[192.0.2.1]", "[192.0.2.1]", id="a literal"),
    ],
)
def test_domains_compare_in_one_form(text: str, expected: str) -> None:
    assert normal_domain(text) == expected


def test_the_first_of_a_text() -> None:
    assert parse_address("Ann <a@x>, b@x") == Address("Ann", "a@x")
    assert parse_address("") == Address("", "")


def test_at_most_so_many_are_read() -> None:
    assert len(parse_addresses(["a@x," * 100_000])) == MAX_ADDRESSES


_NAMES = st.text(st.characters(blacklist_categories=["Cs", "Cc", "Z"]), max_size=20)
_LOCALS = st.from_regex(r"[a-z0-9!#$%&'*+/=?^_`{|}~.-]{1,12}", fullmatch=True)


@given(st.lists(st.tuples(_NAMES, _LOCALS), min_size=1, max_size=5))
def test_reads_back_what_is_written_by_the_rules(people: list[tuple[str, str]]) -> None:
    local_safe = [(name, local.strip(".").replace("..", ".") or "a") for name, local in people]
    written = ", ".join(
        str(Written(name.replace("=?", ""), username=local, domain="x.example")) for name, local in local_safe
    )
    found = parse_addresses([written])
    assert [one.domain for one in found] == ["x.example"] * len(people)
    assert [one.local for one in found] == [local for _, local in local_safe]


@given(st.lists(st.text(max_size=80) | st.text('a@<>,;:"()[]\\=?q.utf8 ', max_size=80), max_size=3))
def test_never_raises_and_gives_writable_text(values: list[str]) -> None:
    for one in parse_addresses(values):
        f"{one.name}{one.address}{one.local}{one.domain}{one.normal}".encode()


_PIECES = [
    "Ann",
    "Doe, ",
    "a@b.example",
    "<a@b.example>",
    '"A, B"',
    "=?utf-8?Q?a,b?=",
    "list:",
    ";",
    ",",
    " ",
]


@given(st.lists(st.sampled_from([*_PIECES, "(", ")", '"', "<", "@", "\\", "é"]), max_size=14).map("".join))
def test_the_quick_way_reads_what_the_whole_one_reads(value: str) -> None:
    assert list(mailboxes(value)) == list(_others(value))


@given(st.text("<>@evil ", max_size=20))
def test_what_is_encoded_is_never_an_address(text: str) -> None:
    from binascii import b2a_base64

    word = b2a_base64(text.encode(), newline=False).decode()
    assert {one.address for one in parse_addresses([f"=?utf-8?b?{word}?= <a@x>"])} == {"a@x"}


@given(st.text(max_size=300))
def test_normal_domain_is_idempotent_where_it_is_ascii(text: str) -> None:
    once = normal_domain(text)
    assert not once.isascii() or normal_domain(once) == once


@pytest.mark.parametrize(
    "piece",
    [
        "a@b.example, ",
        "a@b ",
        "(",
        "((a)",
        '"',
        '\\"',
        "<",
        "<@a,",
        "@",
        ",",
        "a:",
        "=?a?q?",
        "[",
        "a ",
        "(a) ",
    ],
)
def test_reading_is_linear(piece: str) -> None:
    assert is_linear(lambda size: list(mailboxes(piece * (size // len(piece)))), 8_000)


def test_so_many_characters_of_all_fields_are_read() -> None:
    found = parse_addresses(["a " * MAX_ADDRESS_TEXT, "b@x"])
    assert "b@x" not in [one.address for one in found]
    assert sum(len(one.name + one.address) for one in found) <= MAX_ADDRESS_TEXT
    assert len(parse_addresses(["a@x"] * 60)) == MAX_ADDRESS_FIELDS
