"""Searching for many patterns at once finds no fewer than searching for each alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product
from unittest.mock import patch

import pytest
import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.rules.multi import PIECE, Search, search_literals, search_regexes
from engine.rules.patterns import regex
from engine.rules.text import to_bytes

WORDS = st.text(alphabet="abAB é.*\ud800\x00ſK\u212a", min_size=1, max_size=4)
EXPRESSIONS = st.sampled_from(
    [
        "a",
        "(?i)ab",
        "(?i)straße",
        "(?i)k",
        "a.*b",
        "(?i)order\\s+#?(?P<n>\\d+)",
        "[^a]+b",
        "\\d{2,}",
        "^$",
        "^a|b$",
        "(?s)x.*\\by",
        "\\pL+-\\d",
        ".*",
        "(a|b)*c",
        "(?:é|e\u0301)x",
    ]
)
TEXTS = st.one_of(
    WORDS,
    st.lists(st.sampled_from(["a", "b", "AB", "STRASSE", "Straẞe", "order #12", "x y", "é-1", "K", ""])).map(
        " ".join
    ),
)


def found(searches: Iterable[Search], text: bytes) -> set[int]:
    return {place for search in searches for place in search(text)}


@settings(max_examples=200, deadline=None)
@given(parts=st.lists(WORDS, unique=True, min_size=1, max_size=6), text=TEXTS)
def test_literals_are_found_where_they_stand(parts: list[str], text: str) -> None:
    wanted, whole = [to_bytes(part) for part in parts], to_bytes(text)
    for piece, few in product((1, 3, PIECE), (0, 48)):
        with patch.multiple("engine.rules.multi", PIECE=piece, VECTORED=few):
            search = search_literals(wanted)
            assert set(search(whole)) == {at for at, part in enumerate(wanted) if part in whole}


@pytest.mark.parametrize("small", [0, 1_000_000], ids=["as an automaton", "as a table"])
def test_literals_are_found_far_into_a_text(small: int) -> None:
    with patch("engine.rules.multi.SMALL", small):
        search = search_literals([b"begin", b"border", b"end", b"nothing"])
    assert set(search(b"begin" + b"x" * (PIECE - 8) + b"border" + b"x" * PIECE + b"end")) == {0, 1, 2}


@settings(max_examples=200, deadline=None)
@given(expressions=st.lists(EXPRESSIONS, unique=True, max_size=8), text=TEXTS)
def test_no_regex_is_missed(expressions: list[str], text: str) -> None:
    alone = {at for at, each in enumerate(expressions) if regex(each).search(to_bytes(text)) is not None}
    assert found(search_regexes([to_bytes(each) for each in expressions]), to_bytes(text)) >= alone


def test_a_regex_with_a_gap_is_looked_for_by_its_literals() -> None:
    searches = search_regexes([b"(?i)order.*shipped", b"no.*thing"])
    assert found(searches, b"Your ORDER was SHIPPED") == {0}
    assert found(searches, b"shipped in order") == {0}
    assert found(searches, b"hello") == set()


def test_a_regex_that_is_too_large_may_be_anywhere() -> None:
    searches = search_regexes([rb"\pL{900}", b"b"])
    assert found(searches, b"x") == {0}
    assert found(searches, b"b") == {0, 1}
    assert found(search_regexes([rb"\pL{900}"]), b"") == {0}


def test_patterns_that_do_not_fit_one_set_are_parted() -> None:
    patterns = [b"(?:pattern|number) %d" % number for number in range(200)]
    with patch("engine.rules.multi.MAX_MEMORY", 100_000):
        searches = search_regexes(patterns)
    assert len(searches) > 1
    assert found(searches, b"pattern 150") == {1, 15, 150}


def test_a_pattern_that_fits_no_set_may_be_anywhere() -> None:
    with patch("engine.rules.multi.MAX_MEMORY", 100):
        assert found(search_regexes([b"a", b"b"]), b"") == {0, 1}


@pytest.mark.parametrize(
    ("name", "patterns"),
    [
        pytest.param("Set", [b"ab", b"cd"], id="a set that ran out of memory"),
        pytest.param("Filter", [b"a.*b", b"c.*d"], id="a filter that ran out of memory"),
    ],
)
def test_nothing_is_missed_when_memory_runs_out(
    name: str, patterns: Sequence[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(getattr(re2, name), "Match", lambda *_: None)
    assert found(search_regexes(patterns), b"nothing") == {0, 1}
