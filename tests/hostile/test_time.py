"""What is done within one call of C shows in time alone: the inputs that once took more than their share."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bench.dirt.readers import TEXT_READERS
from engine.mail.automated import cues
from engine.rules.condition import Condition
from engine.rules.findings import unknown
from engine.rules.view import View
from tests.growth import is_linear
from tests.rules.making import NOW, condition, make_message

SIGNS = [chr(0x4E00 + n) for n in range(2_000)]
"""So many different ones that none is left out of a comparison for being common."""


def _key(size: int) -> None:
    TEXT_READERS["values of a rule"]("{{ a" + " " * size + "b")


def _name(size: int) -> None:
    text = "".join(SIGNS[n % len(SIGNS)] for n in range(size))
    unknown("list", text, [text[1:] + "x"])


@pytest.mark.parametrize(
    ("work", "size"),
    [
        pytest.param(lambda n: TEXT_READERS["Gmail's filters"]("a" * n), 2_000, id="a word of a filter"),
        pytest.param(
            lambda n: TEXT_READERS["texts in Sieve"]("${hex:" + "4" * n), 2_000, id="a code left open"
        ),
        pytest.param(
            lambda n: TEXT_READERS["expressions of templates"]("{{ a" * n), 2_000, id="expressions left open"
        ),
        pytest.param(_key, 2_000, id="blanks in a placeholder"),
        pytest.param(lambda n: list(cues("a" * n)), 20_000, id="a subject that tells nothing"),
        pytest.param(_name, 2_000, id="an unknown name like a known one"),
    ],
)
def test_it_takes_time_in_proportion(work: Callable[[int], object], size: int) -> None:
    assert is_linear(work, size)


def test_so_do_conditions_that_all_capture() -> None:
    asked: dict[int, Condition] = {}

    def judge(size: int) -> None:
        asked[size].judge(View(make_message(("Subject", "a")), NOW))

    for size in (size + attempt for size in (500, 4_000) for attempt in range(2)):
        members = ", ".join(f"{{subject: {{regex: '(?P<n{n}>a)'}}}}" for n in range(size))
        asked[size] = condition(f"all: [{members}]")
        judge(size)
    assert is_linear(lambda size: judge(min(asked, key=lambda known: abs(known - size))), 500)
