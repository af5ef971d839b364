"""Whatever stands in a rule file, it loads or is refused with places; nothing else is raised."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.rules.findings import RuleErrors
from engine.rules.registry import ACTIONS, CONDITIONS
from engine.rules.testing import examine
from engine.rules.yaml import parse_yaml, plain

SEED = r"""
version: 1
layer: before
mailboxes: [support@acme.example]
lists: {vips: ['@x.example']}
rules:
  - id: a
    when: {all: [%s]}
    then: [%s]
    tests:
      - name: t
        given: {from: a@b.example, headers: {x: y}, attachments: [{name: a, size: 1KB}], date: 2026-01-01}
        expect: {matched: true, actions: [label], captures: {n: '1'}, labels: {add: [x]}}
"""
PARTS = [
    ", ".join("{" + text + "}" for component in found.values() for text in component.examples)
    for found in (CONDITIONS, ACTIONS)
]
TREE = plain(parse_yaml(SEED % (PARTS[0], PARTS[1]), "seed"))

WORDS = st.sampled_from(
    [
        "",
        "x",
        "true",
        "null",
        "1",
        "-1",
        "1MB",
        "7d",
        "(",
        "(?P<n>x)",
        "*",
        "@",
        "a@b",
        "{{ captures.n }}",
        "SPAM",
        "draft",
    ]
)
JUNK = st.recursive(
    WORDS | st.none() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(WORDS | st.sampled_from(sorted(CONDITIONS)), inner, max_size=2)
    ),
    max_leaves=4,
)


def spots(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a tree."""
    if path:
        yield path
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield from spots(inner, (*path, key))


SPOTS = list(spots(TREE))


def changed(path: tuple[Any, ...], junk: Any) -> Any:
    tree = deepcopy(TREE)
    parent = tree
    for step in path[:-1]:
        parent = parent[step]
    parent[path[-1]] = junk
    return tree


@settings(max_examples=200, deadline=None)
@given(path=st.sampled_from(SPOTS), junk=JUNK)
def test_junk_anywhere_is_read_or_refused_with_its_place(path: tuple[Any, ...], junk: Any) -> None:
    checked = examine({"r.yaml": json.dumps(changed(path, junk), indent=1)}, None)
    assert checked.ruleset is not None or checked.errors
    assert all(error.place.line for error in checked.errors)


@settings(max_examples=100, deadline=None)
@given(text=st.text(alphabet="ab:-[]{}'\"|>&*!#%@` \n\t0", max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    checked = examine({"r.yaml": text}, None)
    assert checked.ruleset is not None or checked.errors


def test_errors_of_a_set_read_as_one_text() -> None:
    errors = examine({"r.yaml": "a: 1\nb: 2\n"}, None).errors
    assert str(RuleErrors(errors)).count("\n") == len(errors) - 1
