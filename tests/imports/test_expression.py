"""Patterns and numbers of Sieve as RE2."""

from __future__ import annotations

import re
from fnmatch import translate

import pytest
import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.imports.sieve.expression import Untranslatable, escaped, from_posix, from_wildcards
from engine.imports.sieve.numbers import numeric


def found(pattern: str, text: str) -> bool:
    return re2.search(pattern.encode(), text.encode()) is not None


@pytest.mark.parametrize(
    ("posix", "fits", "not_fits"),
    [
        pytest.param("a[.]b", ["xA.By"], ["acb"], id="case is ignored"),
        pytest.param(r"[^\.]x", [r"ax"], ["\\x", ".x"], id="a backslash in brackets is itself"),
        pytest.param("[]a-]+$", ["]a-"], ["b"], id="a bracket that comes first is itself"),
        pytest.param("[[:xdigit:]]{2}", ["fF"], ["g"], id="a class of characters"),
        pytest.param("[[.a.][=b=]]", ["a", "b"], ["c"], id="collating elements of one character"),
        pytest.param("^a{,2}$", ["", "a", "aa"], ["aaa"], id="at most so often"),
        pytest.param("^(a|b)*?c", ["abc", "c"], ["d"], id="what repeats again is no lazy repetition"),
        pytest.param(r"\<order\>", ["my order 7"], ["orders"], id="edges of words"),
        pytest.param("a.b", ["a\nb"], ["ab"], id="a dot is any character, a line break too"),
        pytest.param("a{", ["a{"], ["a"], id="a brace that repeats nothing"),
        pytest.param(")", ["a)"], ["a"], id="a parenthesis that closes nothing"),
        pytest.param("[a&&b]", ["&"], ["c"], id="signs that other dialects know"),
    ],
)
def test_posix_patterns(posix: str, fits: list[str], not_fits: list[str]) -> None:
    pattern = from_posix(posix).written({})
    assert [text for text in fits if not found(pattern, text)] == []
    assert [text for text in not_fits if found(pattern, text)] == []


@pytest.mark.parametrize("posix", [r"(a)\1", "(?i)a", "[a", "a\\", "*a", "(a", "[[.ab.]]", "a{99999}"])
def test_what_re2_lacks_or_posix_refuses(posix: str) -> None:
    with pytest.raises(Untranslatable):
        from_posix(posix)


def test_groups_that_are_used_get_names() -> None:
    made = from_posix("(a)(b(c))")
    assert made.groups == 3
    assert made.written({3: "inner"}) == "(?is)(a)(b(?P<inner>c))"
    assert made.written({0: "all"}) == "(?is)(?P<all>(a)(b(c)))"


@pytest.mark.parametrize("size", [1_000, 8_000])
def test_long_patterns_are_refused_at_once(size: int) -> None:
    with pytest.raises(Untranslatable):
        from_posix("a" + "*+" * size)


TEXT = st.text("ab*?\\.[", max_size=8)


@settings(max_examples=100)
@given(pattern=st.text("ab*?", max_size=6), text=st.text("ab", max_size=6))
def test_wildcards_fit_as_in_any_shell(pattern: str, text: str) -> None:
    made = from_wildcards(pattern).written({})
    assert found(made, text) == bool(re.match(translate(pattern), text))


@settings(max_examples=100)
@given(text=TEXT, other=TEXT)
def test_an_escaped_text_fits_itself_alone(text: str, other: str) -> None:
    assert found(rf"\A{escaped(text)}\z", text)
    assert found(rf"\A{escaped(text)}\z", other) == (text == other)


NUMBERS = st.integers(0, 10_000) | st.sampled_from([0, 9, 10, 99, 100, 999])
HOLDS = {
    "eq": lambda one, other: one == other,
    "ne": lambda one, other: one != other,
    "lt": lambda one, other: one < other,
    "le": lambda one, other: one <= other,
    "gt": lambda one, other: one > other,
    "ge": lambda one, other: one >= other,
}


@settings(max_examples=100)
@given(
    relation=st.sampled_from(sorted(HOLDS)),
    key=NUMBERS,
    number=NUMBERS | st.none(),
    zeros=st.integers(0, 3),
    rest=st.sampled_from(["", ".5", " x", "-"]),
)
def test_numbers_compare(relation: str, key: int, number: int | None, zeros: int, rest: str) -> None:
    """A text that begins with no digit is larger than every number (RFC 4790, section 9.1)."""
    text = "0" * zeros + str(number) + rest if number is not None else rest.removeprefix("5")
    pattern = numeric(relation, str(key))
    value = float("inf") if number is None else number
    assert (bool(pattern) and found(f"(?s){pattern}", text)) == HOLDS[relation](value, key)


@pytest.mark.parametrize("key", ["", "x", "-1", "9" * 40])
def test_keys_that_are_no_numbers(key: str) -> None:
    with pytest.raises(ValueError, match="is no number"):
        numeric("ge", key)
