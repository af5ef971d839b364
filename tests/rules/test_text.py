"""Text kinds."""

from __future__ import annotations

import re
import sys
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from engine.rules.patterns import glob, regex
from engine.rules.text import Text, TextKinds
from tests.rules.making import condition, holds, judged, make_message

NFD, NFC = "Cafe\u0301", "Caf\u00e9"

MATCHES = [
    pytest.param("subject: Hello", "hELLO", id="a bare value is the whole text, case ignored"),
    pytest.param("subject: [a, hello]", "Hello", id="a list means any of"),
    pytest.param("subject: STRASSE", "Straße", id="case folding, not lower case"),
    pytest.param(f"subject: {{contains: {NFC}}}", f"am {NFD} um 9", id="composed and decomposed are one"),
    pytest.param(f"subject: {{contains: {NFD}}}", f"am {NFC} um 9", id="also in what the author wrote"),
    pytest.param("subject: 0123", "0123", id="a plain scalar is its source text"),
    pytest.param("subject: no", "NO", id="no is a text"),
    pytest.param("subject: {starts_with: [re, 'aw:']}", "AW: x", id="how it begins"),
    pytest.param("subject: {ends_with: '!'}", "now!", id="how it ends"),
    pytest.param("subject: {glob: 'order *?'}", "ORDER 12", id="a glob is of the whole text, case ignored"),
    pytest.param("subject: {glob: '[x] *'}", "[X] y", id="brackets are no wildcards"),
    pytest.param(r"subject: {glob: 'a\*'}", "a*", id="a star can be meant"),
    pytest.param("subject: {regex: 'r\\w+'}", "Order", id="a pattern is found anywhere"),
    pytest.param("subject: {regex: '(?i)^ORDER$'}", "Order", id="a pattern ignores case when told to"),
    pytest.param(f"subject: {{regex: 'Caf{NFC[3]}$'}}", NFD, id="a pattern sees composed text"),
    pytest.param("subject: {contains: a, ends_with: b}", "a b", id="several kinds must all hold"),
    pytest.param("subject: {exists: true}", "", id="an empty subject is there"),
    pytest.param("subject: ''", "", id="an empty subject is empty"),
]
MISSES = [
    pytest.param("subject: Hello", "Hello there", id="is means the whole text"),
    pytest.param("subject: {regex: 'order'}", "Order", id="a pattern minds case"),
    pytest.param("subject: {regex: '\\w'}", "ü", id="word characters are ASCII"),
    pytest.param("subject: {contains: a, ends_with: b}", "a c", id="one kind that does not hold"),
    pytest.param("subject: {glob: 'order'}", "my order", id="a glob of a part"),
]


@pytest.mark.parametrize(("asked", "subject"), MATCHES)
def test_a_subject_matches(asked: str, subject: str) -> None:
    assert holds(asked, make_message(("Subject", subject)))


@pytest.mark.parametrize(("asked", "subject"), MISSES)
def test_a_subject_does_not_match(asked: str, subject: str) -> None:
    assert not holds(asked, make_message(("Subject", subject)))


@pytest.mark.parametrize(
    "asked",
    ["subject: ''", "subject: {contains: a}", "subject: {regex: 'a*'}", "subject: {exists: true}"],
)
def test_what_is_absent_matches_nothing(asked: str) -> None:
    assert not holds(asked, make_message())


def test_absence_can_be_asked_for() -> None:
    assert holds("subject: {exists: false}", make_message())
    assert not holds("subject: {exists: false}", make_message(("Subject", "")))


def test_half_characters_are_replaced_before_a_pattern_sees_them() -> None:
    kinds = TextKinds.model_validate({"regex": "^a\ufffdb$"})
    assert kinds.match(Text("a\ud800b")) == {}


RUNS = re.compile(rb"[\0-\x7f]+")
MADE_ASCII = "ßẞſŉİẚﬀﬁﬂﬃﬄﬅﬆ\u212a\u037e\u1fef"
MARKS = "\u0301\u0307\u0308\u030a\u030c\u0323\u0327\u0331\u0338\u0345"


def lacks(text: Text) -> list[bytes]:
    return [run for run in RUNS.findall(text.folded_bytes) if run not in text.sought]


def test_what_folding_makes_of_any_sign_is_sought_without_it() -> None:
    rows = ("一".join(map(chr, range(start, start + 256))) for start in range(0, sys.maxunicode, 256))
    assert not [lacking for row in rows if (lacking := lacks(Text(row)))]


@given(st.text(alphabet=f"aHIJtwY=\ud800éçǰẖẗẘẙắÅΐ{MADE_ASCII}{MARKS}"))
def test_what_folding_makes_of_any_text_is_sought_without_it(text: str) -> None:
    assert not lacks(Text(text))


def test_named_groups_are_captured() -> None:
    found = judged(
        r"subject: {regex: 'order (?P<order>\d+)(?P<rest>x)?'}", make_message(("Subject", "order 12"))
    )
    assert found.captures == {"order": "12", "rest": ""}


def test_captures_are_one_bounded_line() -> None:
    kinds = TextKinds.model_validate({"regex": "(?s)(?P<all>.*)"})
    assert kinds.match(Text("a\r\n\x00 b" + "c" * 5_000)) == {"all": ("a b" + "c" * 5_000)[:1_000]}


def test_the_first_pattern_that_is_found_captures() -> None:
    asked = "subject: {regex: ['(?P<a>x)', '(?P<a>y)(?P<b>z)']}"
    assert judged(asked, make_message(("Subject", "yz"))).captures == {"a": "y", "b": "z"}
    assert condition(asked).possible_captures == {"a", "b"}
    assert condition(asked).sure_captures == {"a"}


def test_all_kinds_hold_of_one_and_the_same_header() -> None:
    message = make_message(("X-Tag", "red car"), ("X-Tag", "blue bus"))
    assert holds("header: {name: x-tag, starts_with: blue, ends_with: bus}", message)
    assert not holds("header: {name: X-Tag, starts_with: red, ends_with: bus}", message)


def test_a_header_is_decoded_and_its_name_alone_asks_whether_it_is_there() -> None:
    message = make_message(("X-Note", "=?utf-8?q?Gr=C3=BC=C3=9Fe?="))
    assert holds("header: {name: X-Note, is: grüsse}", message)
    assert holds("header: {name: X-Note}", message)
    assert not holds("header: {name: X-Other}", message)
    assert holds("header: {name: X-Other, exists: false}", message)


def test_a_hard_pattern_is_searched_in_linear_time() -> None:
    assert regex(r"(a+)+$").search(b"a" * 100_000 + b"b") is None


@pytest.mark.parametrize("pattern", [r"((a{100}){100}){100}", r"\p{Nope}", "a" * 5_000, "(?P<x>", "\ud800"])
def test_a_pattern_beyond_the_bounds_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"RE2|longer|half"):
        regex(pattern)


def test_no_kind_at_all_is_refused() -> None:
    with pytest.raises(ValidationError, match="asks nothing"):
        condition("subject: {}")


@pytest.mark.parametrize(
    ("pattern", "named"),
    [
        ("(?=a)", "look-ahead"),
        ("(?!a)", "negative look-ahead"),
        ("(?<=a)b", "look-behind"),
        ("(?<!a)b", "negative look-behind"),
        ("(?>a)", "atomic group"),
        ("(?#a)", "comment"),
        ("(?(1)a|b)", "conditional group"),
        ("(?P<x>a)(?P=x)", "back-reference"),
        (r"(a)\1", "back-reference"),
        (r"\k<x>", "back-reference"),
        ("(?R)", "recursion"),
        ("(?|a)", "branch reset"),
        ("a*+", "possessive quantifier"),
    ],
)
def test_what_re2_lacks_is_named(pattern: str, named: str) -> None:
    with pytest.raises(ValueError, match=f"RE2 has no {named} "):
        regex(pattern)


@given(st.text(alphabet="(?P<n>:=!|\\1k*+{},[]^$.aR#\ud800é", max_size=20))
def test_any_pattern_is_compiled_or_refused(pattern: str) -> None:
    with suppress(ValueError):
        regex(pattern).search(b"a")
    with suppress(ValueError):
        glob(pattern).search(b"a")
