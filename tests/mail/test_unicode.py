"""Normal forms, of hostile text too."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.address import Address
from engine.mail.unicode import MAX_MARKS, is_mark, normalize
from engine.rules.text import fold
from tests.growth import is_linear

MARKS = st.sampled_from("\u0300\u0323\u0f73\u0345\u0344a")


def longest_run(text: str) -> int:
    longest = run = 0
    for sign in unicodedata.normalize("NFD", text):
        run = run + 1 if unicodedata.combining(sign) else 0
        longest = max(longest, run)
    return longest


@given(st.text(max_size=100) | st.text(MARKS, max_size=MAX_MARKS))
def test_text_without_long_runs_is_normalised_as_ever(text: str) -> None:
    assert normalize("NFC", text) == unicodedata.normalize("NFC", text)
    assert normalize("NFKC", text) == unicodedata.normalize("NFKC", text)


@given(st.lists(st.tuples(MARKS, st.integers(1, 90))))
def test_no_run_of_marks_is_long(runs: list[tuple[str, int]]) -> None:
    text = "".join(sign * times for sign, times in runs)
    assert longest_run(normalize("NFC", text)) <= 2 * MAX_MARKS + 1


def test_every_mark_is_known() -> None:
    marks = [sign for sign in map(chr, range(sys.maxunicode + 1)) if is_mark(sign)]
    assert all(longest_run(normalize("NFC", sign * 100)) <= 2 * MAX_MARKS + 1 for sign in marks)


@pytest.mark.parametrize(
    "piece",
    [
        pytest.param("\u0300\u0323", id="marks in the wrong order"),
        pytest.param("\u0f73", id="starters that decompose to marks"),
        pytest.param("a" + "\u0300\u0323" * 15, id="runs that are just short enough"),
        pytest.param("\u1100\u1161", id="Hangul"),
    ],
)
def test_folding_is_linear(piece: str) -> None:
    assert is_linear(lambda size: fold("a" + piece * (size // len(piece))), 4_000)


def test_an_address_of_marks_compares() -> None:
    assert Address("", "a" + "\u0300\u0323" * 50_000 + "@x.example").normal.endswith("@x.example")
    assert Address("", "a" * 320 + "b@x").normal == "a" * 320 + "@x"
