"""Values of the JSON that an event brings along."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from engine.errors import ConditionError
from engine.mail.events import Event, EventKind
from engine.mail.message import Message, no_message
from engine.rules.condition import NOT_MATCHED, Judged
from engine.rules.evaluation import Verdict
from engine.rules.index import Index
from engine.rules.memory import Beside
from engine.rules.payload import payload_of, read_path
from engine.rules.view import View
from tests.growth import is_linear
from tests.rules.making import NOW, condition

ORDER = """{"order": {"id": 48211, "total": 99.90, "paid": true, "note": null, "status": "Paid"},
 "items": [{"sku": "A-1", "price": 10}, {"sku": "B-2", "price": 250.5, "tags": ["x", "ÜBER"]}],
 "a.b": {"c d": "deep"}, "big": 123456789012345678901234567890, "text": "12.50", "list": [[1, 2], [3]]}"""


def view(payload: str = ORDER) -> View:
    return View(no_message("box"), NOW, beside=Beside(payload=payload))


def judged(asked: str, payload: str = ORDER) -> Judged:
    return condition(f"payload: {{{asked}}}").judge(view(payload))


HOLD = [
    pytest.param("path: order.status, is: paid", id="a text, case ignored"),
    pytest.param("path: order.id, is: 48211", id="a number as it was written"),
    pytest.param("path: order.total, is: '99.90'", id="a number with its last zero"),
    pytest.param("path: order.total, eq: 99.9", id="a number by its worth"),
    pytest.param("path: order.paid, is: true", id="true"),
    pytest.param("path: order.note, exists: false", id="null is absent"),
    pytest.param("path: order.missing, exists: false", id="what is not there is absent"),
    pytest.param("path: order, exists: true", id="a map is there"),
    pytest.param("path: order.id", id="the path alone"),
    pytest.param("path: 'items[0].sku', is: a-1", id="a place in a list"),
    pytest.param("path: 'items[*].price', gt: 100", id="each member of a list"),
    pytest.param("path: 'items[*].tags[*]', contains: über", id="lists within lists"),
    pytest.param("path: 'list[*][*]', gte: 3, lte: 3", id="lists of lists"),
    pytest.param("path: '[\"a.b\"][''c d'']', ends_with: eep", id="names in quotation marks"),
    pytest.param("path: big, gt: 123456789012345678901234567889", id="a number of many digits"),
    pytest.param(
        "path: text, lt: 12.6, starts_with: '12'", id="a text that is a number, and both kinds of kinds"
    ),
    pytest.param("path: order.status, regex: '^(?P<first>.)'", id="a pattern"),
]
FAIL = [
    pytest.param("path: order.status, gt: 1", id="a text is no number"),
    pytest.param("path: order, is: '{'", id="a map is no text"),
    pytest.param("path: order.paid, gt: 0", id="true is no number"),
    pytest.param("path: 'items[7].sku'", id="beyond the end of a list"),
    pytest.param("path: 'items[*].price', gt: 10, lt: 250", id="of one and the same value"),
    pytest.param("path: items.sku", id="a name of a list"),
    pytest.param("path: 'order[0]'", id="a place in a map"),
    pytest.param("path: order.note", id="null"),
]


@pytest.mark.parametrize("asked", HOLD)
def test_holds(asked: str) -> None:
    assert judged(asked).verdict is Verdict.MATCHED


@pytest.mark.parametrize("asked", FAIL)
def test_does_not_hold(asked: str) -> None:
    assert judged(asked) is NOT_MATCHED


def test_captures_come_along() -> None:
    assert judged("path: order.status, regex: '^(?P<first>.)'").captures == {"first": "P"}


def test_an_event_without_a_payload_has_no_values() -> None:
    assert judged("path: a", "") is NOT_MATCHED
    assert judged("path: a, exists: false", "").verdict is Verdict.MATCHED


@pytest.mark.parametrize(
    "payload", ["{", "[" * 100_000, "nul", '{"a": 1} x'], ids=["cut", "deep", "no", "more"]
)
def test_what_is_no_json_leaves_it_open(payload: str) -> None:
    found = judged("path: a, exists: false", payload)
    assert found.verdict is Verdict.UNDECIDED
    assert "payload" in found.why


def test_a_payload_that_is_too_long_leaves_it_open() -> None:
    with patch("engine.rules.payload.MAX_PAYLOAD", 3):
        assert judged("path: a").verdict is Verdict.UNDECIDED


PATHS = [
    pytest.param("", "from 1 to 50 steps", id="nothing"),
    pytest.param(".a", "is no path at its sign 1", id="a dot in front"),
    pytest.param("a..b", "is no path at its sign 2", id="two dots"),
    pytest.param("a[x]", "is no path at its sign 2", id="a word in brackets"),
    pytest.param("a[0]b", "is no path at its sign 5", id="no dot behind brackets"),
    pytest.param("a[-1]", "is no path at its sign 2", id="from the end"),
    pytest.param("a b", "is no path at its sign 2", id="a blank"),
    pytest.param("a." * 60 + "a", "from 1 to 50 steps", id="too many steps"),
]


@pytest.mark.parametrize(("path", "said"), PATHS)
def test_a_path_that_is_none_is_refused(path: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_path(path)


WRONG = [
    pytest.param("payload: order.id", "write {path: order.id, exists: true}", id="a path without a map"),
    pytest.param("payload: {is: x}", "'path' is missing", id="no path"),
    pytest.param("payload: {path: a, gt: big}", "must be a number, such as 100 or -2.5", id="no number"),
    pytest.param("payload: {path: a, gt: 1_000}", "must be a number", id="a number of Python's"),
    pytest.param("payload: {path: a, gt: .inf}", "must be a number", id="a number of YAML's"),
    pytest.param("payload: {path: a, exists: false, is: x}", "what does not exist", id="absent, and a text"),
    pytest.param(
        "payload: {path: a, exists: false, gt: 1}", "what does not exist", id="absent, and a number"
    ),
    pytest.param("payload: {path: a, contain: x}", "did you mean", id="a misspelt kind"),
]


@pytest.mark.parametrize(("asked", "said"), WRONG)
def test_a_mistake_is_named(asked: str, said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        condition(asked)
    assert said in str(caught.value)


def test_an_event_keeps_its_payload_and_others_are_written_as_before() -> None:
    plain = Event(EventKind.MESSAGE_RECEIVED, "box", 1, "k")
    assert "payload" not in plain.to_json()
    rich = Event(EventKind.MESSAGE_RECEIVED, "box", 1, "k", payload=ORDER)
    assert Event.from_json(rich.to_json()) == rich


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["a", "B", "1.0", "é", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=8,
)
ASKED = st.tuples(
    st.sampled_from(["a", "a.b", "'a[0]'", "'[*]'", "'a[*].b'", "'[0][1]'"]),
    st.sampled_from(
        ["is: a", "contains: [b, é]", "gt: 0", "eq: 1", "exists: true", "exists: false", "is: '1', lt: 3"]
    ),
).map(", ".join)


@settings(max_examples=150, deadline=None)
@given(value=VALUES, asked=ASKED)
def test_the_index_passes_over_no_value_that_holds(value: Any, asked: str) -> None:
    loaded = condition(f"payload: {{path: {asked}}}")
    found = loaded.judge(view(json.dumps(value)))
    assert found.verdict is not Verdict.UNDECIDED
    assert Index([loaded.clues]).candidates(view(json.dumps(value))) or found is NOT_MATCHED
    assert loaded.seen(view(json.dumps(value)))


@pytest.mark.parametrize("piece", ['["a"],', "1" * 50, '{"a":1},', "[", '"\\u00e9",', "1e9,"], ids=repr)
def test_reading_and_asking_is_linear(piece: str) -> None:
    asked = condition("payload: {path: '[*][*].a', regex: 'x.*y', contains: z}")

    def ask(size: int) -> None:
        text = "[" + (piece * (size // len(piece))).rstrip(",") + "]"
        with suppress(ConditionError):
            payload_of(view(text))
        asked.judge(view(text))

    assert is_linear(ask, 20_000)


def test_a_message_may_be_there_too() -> None:
    both = View(Message("k"), NOW, beside=Beside(payload='{"a": "x"}'))
    assert condition("payload: {path: a, is: x}").judge(both).verdict is Verdict.MATCHED
