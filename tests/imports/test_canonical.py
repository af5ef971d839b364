"""Rules written as YAML are read as what they were."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.imports.canonical import as_yaml
from engine.imports.names import Ids, slug
from engine.rules.yaml import parse_yaml, plain

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=40) | st.sampled_from(
    [
        "yes",
        "no",
        "0123",
        "1e3",
        "null",
        "~",
        "- a",
        "a: b",
        "# a",
        "*",
        "&a",
        "!x",
        "{{ a }}",
        "'",
        '"',
        "",
        " a ",
        "a\nb\n",
        "…",
    ]
)
VALUES = st.recursive(
    TEXTS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["all", "any", "name", "then", "x"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@settings(max_examples=100)
@given(st.lists(VALUES, max_size=4))
def test_every_value_comes_back(rules: list[Any]) -> None:
    assert plain(parse_yaml(as_yaml(rules), "my.yaml")) == {"version": "1", "rules": rules}


def test_what_fits_on_a_line_stands_in_braces() -> None:
    rule = {
        "id": "a",
        "when": {"all": [{"from": {"is": "a@x.example"}}, {"size": {"gt": "1KiB"}}]},
        "then": [{"archive": True}],
    }
    assert as_yaml([rule], ["From somewhere."]) == (
        "# yaml-language-server: $schema=../docs/rules.schema.json\n"
        "# From somewhere.\n"
        "version: 1\n"
        "rules:\n"
        "  - id: a\n"
        "    when:\n"
        "      all:\n"
        "        - {from: {is: a@x.example}}\n"
        "        - {size: {gt: 1KiB}}\n"
        "    then:\n"
        "      - {archive: true}\n"
    )


def test_ids_are_given_once() -> None:
    ids = Ids("My Filters")
    assert [ids.take("Grüße/A"), ids.take("Grüße/A"), ids.take("📬")] == [
        "my-filters-grue-a",
        "my-filters-grue-a-2",
        "my-filters",
    ]
    assert slug("Lists/{{ captures.list }}") == "lists"


@settings(max_examples=50)
@given(st.lists(st.text(max_size=80), max_size=30))
def test_ids_are_ids(wishes: list[str]) -> None:
    ids = Ids("p")
    taken = [ids.take(wish) for wish in wishes]
    assert len(set(taken)) == len(taken)
    assert all(name.isascii() and len(name) <= 100 for name in taken)
