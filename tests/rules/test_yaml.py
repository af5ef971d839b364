"""YAML as a tree that remembers where things stand."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.rules.findings import RuleErrors
from engine.rules.yaml import Map, Scalar, Seq, parse_yaml, plain


@pytest.mark.parametrize(
    "text",
    ["0123", "1.10", "no", "yes", "on", "null", "~", "1e3", "0x1F", "2026-01-01", "12:30:00"],
)
def test_a_plain_scalar_is_its_source_text(text: str) -> None:
    assert plain(parse_yaml(f"a: {text}\n", "f")) == {"a": text}


def test_nothing_is_told_from_an_empty_text() -> None:
    assert plain(parse_yaml("a:\nb: ''\n", "f")) == {"a": None, "b": ""}


def test_nodes_know_their_line_and_column() -> None:
    root = parse_yaml("# comment\na:\n  - x\n  - {b: 'ü', c: d}\n", "f")
    assert isinstance(root, Map)
    key, items = root.items["a"]
    assert (key.line, key.column) == (2, 1)
    assert isinstance(items, Seq)
    assert (items.line, items.column, items.flow) == (3, 3, False)
    inner = items.items[1]
    assert isinstance(inner, Map)
    assert inner.items["c"][1] == Scalar("d", 4, 17)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("", "f:1:1: is empty", id="an empty file"),
        pytest.param("# nothing\n", "f:1:1: is empty", id="a file of comments"),
        pytest.param("a: 1\na: 2\n", "f:2:1: not allowed: the key 'a' stands here twice", id="a key twice"),
        pytest.param("? [a]\n: b\n", "f:1:3: not allowed: a key that is not a text", id="a list as a key"),
        pytest.param("a: *b\n", "f:1:4: not allowed: an alias", id="an alias"),
        pytest.param("a: &b c\n", "f:1:4: not allowed: an anchor", id="an anchor"),
        pytest.param("a: !!python/object:os.system x\n", "f:1:4: not allowed: a tag", id="a tag"),
        pytest.param("a: 1\n---\nb: 2\n", "f:2:1: not allowed: a second document", id="a second document"),
        pytest.param("a:\n\tb: 1\n", "f:2:1: is not YAML: a tab cannot indent", id="a tab"),
        pytest.param("a: [1\n", "f:2:1: is not YAML: ", id="a bracket left open"),
        pytest.param("a: 'x\n", "f:1:4: is not YAML: the quote that opens here", id="a quote left open"),
        pytest.param(
            "a: b\nc: \x01\n", "f:2:4: holds a character that YAML does not allow", id="a control character"
        ),
        pytest.param(
            "a: b\nc: x\udcff\n", "f:2:5: holds a byte that is not UTF-8", id="a byte that is no UTF-8"
        ),
        pytest.param("a: " + "[" * 50_000, "f:1:67: is nested deeper than 64 levels", id="50,000 brackets"),
        pytest.param("a: b: c\n", "f:1:5: is not YAML: ", id="a colon too many"),
    ],
)
def test_what_is_wrong_is_placed(text: str, said: str) -> None:
    with pytest.raises(RuleErrors) as caught:
        parse_yaml(text, "f")
    assert str(caught.value.errors[0]).startswith(said)


def test_every_problem_is_reported() -> None:
    with pytest.raises(RuleErrors) as caught:
        parse_yaml("a: &x 1\na: *x\nb: !t 2\n", "f")
    assert [error.place.line for error in caught.value.errors] == [1, 2, 2, 3]


def test_64_levels_are_read() -> None:
    assert parse_yaml("[" * 64 + "]" * 64, "f")


@settings(max_examples=100)
@given(st.text(alphabet=st.characters(exclude_categories=[]), max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(RuleErrors):
        plain(parse_yaml(text, "f"))
