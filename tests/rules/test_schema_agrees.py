"""The schema refuses what the loader refuses by shape, and nothing else: shown on files that are spoilt."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.rules.findings import RuleErrors
from engine.rules.loader import load_rules
from engine.rules.registry import ACTIONS, CONDITIONS
from engine.rules.schema import rules_schema
from engine.rules.yaml import parse_yaml, plain

ROOT = Path(__file__).parent.parent.parent
VALIDATOR = jsonschema.Draft202012Validator(rules_schema())

BEYOND = re.compile(
    "|".join(
        (
            "unknown (list|template|capture)",
            "is taken by",
            "there is no fixture",
            "no RE2 pattern|RE2 has no|is named twice",
            "is no (address|domain|mailbox|date|glob|header name|media type)",
            "has no '@'|is more than an address",
            "has a '\\*'",
            "both adds and removes",
            "does not have 5 fields|is empty; say why",
            "a path has from|must name what it is made of|unknown time zone|no pattern below",
        )
    )
)
"""What no schema says: how names, patterns and addresses are made, and what stands elsewhere."""


def _typed(value: Any) -> Any:
    """Read texts as YAML 1.2 does, for a schema."""
    if isinstance(value, dict):
        return {key: _typed(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_typed(each) for each in value]
    words: dict[str, Any] = {"true": True, "false": False}
    if isinstance(value, str) and re.fullmatch(r"0|-?[1-9]\d*", value):
        return int(value)
    return words.get(value, value) if isinstance(value, str) else value


def _file(text: str) -> Any:
    return _typed(plain(parse_yaml(text, "f")))


GROUPED = """
lists: {vips: ['@a.example']}
rules:
  - group:
      id: g
      mode: first
      layer: before
      mailboxes: [a@b.example]
      when: {subject: x}
      rules:
        - {id: a, when: {from: {list: vips}}, stop: true}
        - group: {id: h, rules: [{id: b, then: [{archive: true}]}]}
"""


WIDE = """
lists: {vips: '@a.example'}
x-note: [anything]
rules:
  - id: a
    title: All keys
    mailboxes: '*@a.example'
    layer: after
    priority: -3
    when:
      any:
        - attachment: {sha256: [DIGEST], exists: true, name: {glob: '*.pdf', regex: x}}
        - attachment: {sha256: DIGEST}
        - from: {is: [a@b.example], glob: '*@b.example', regex: b, exists: true, name: {exists: true}}
        - subject: {is: [a], contains: a, starts_with: [a], ends_with: a, glob: a, regex: [a], exists: true}
        - none: [{is: unread}, {automated: false}, {header: {name: X-A, is: a}}]
        - received: {after: 2026-01-01, before: 2026-02-01T10:00, older_than: 1d, newer_than: 2w}
        - received: {weekday: mon, between: [08:00-18:00], timezone: UTC}
    then:
      - mark: {read: false, starred: true, important: true}
      - reply: {template: t, with: {a: b}, all: true, mode: send, once_per: {sender: 7d}}
      - send: {template: t, to: a@b.example, mode: draft}
      - draft: {template: t, reply: true}
    tests:
      - name: everything
        now: 2026-01-01
        given:
          from: a@b.example
          to: [a@b.example]
          cc: a@b.example
          subject: a
          headers: {X-A: [a, b], X-B: a}
          body: a
          attachments: [{name: a.pdf, type: application/pdf, size: 2MB, sha256: DIGEST}]
          size: 2MB
          date: 2026-01-01
          labels: []
          mailbox: b@a.example
        expect: {matched: true, actions: [label, {archive: true}], captures: {n: '1'}, stop: false,
                 labels: {add: [a], remove: b}}
      - {name: from a file, fixture: a.eml, expect: {matched: false}}
"""
TIMED = """
rules:
  - id: a
    event: message.unanswered
    after: 48h
    state: shadow
    when: {subject: x}
    then:
      - reply: {template: t, after: 2h, mode: approve, in: draft, expires: 1d}
      - send: {template: t, to: [a@b.example], throttle: {at_most: 1, per: 1h, key: x}}
      - send: {template: t, to: a@b.example, at: ['08:00', '16:30'], guard: {off: [own, budget], reason: x}}
      - forward: {to: [a@b.example], at: {time: 9:00, weekday: [mon]}, guard: {off: automated, reason: x}}
      - archive: {after: 2h}
      - summary: {template: t, to: a@b.example, every: 1h, key: x, with: {a: b}, after: 1d}
      - summary: {template: t, to: [a@b.example], at: {time: ['08:00'], weekday: mon}}
  - {id: b, event: schedule, schedule: '0 9 * * *', state: off, when: {subject: x}, stop: true}
  - group:
      id: g
      event: schedule
      schedule: {cron: '0 9 * * mon-fri', timezone: UTC}
      rules: [{id: c, state: live, then: [{mark: {read: true, after: 1h}}]}]
"""
WITH_LIST = "lists: {vips: ['@a.example']}\nrules: [{id: a, when: {%s}, then: [{archive: true}]}]"
WITH_CAPTURE = "rules: [{id: a, when: {subject: {regex: '(?P<n>x)'}}, then: [{%s}]}]"


def _examples() -> Iterator[str]:
    yield from (WITH_LIST % text for each in CONDITIONS.values() for text in each.examples)
    yield from (WITH_CAPTURE % text for each in ACTIONS.values() for text in each.examples)


WHOLE = [_file(path.read_text(encoding="utf-8")) for path in sorted((ROOT / "rules").glob("*.yaml"))]
SMALL = [_file(text) for text in (GROUPED, TIMED, WIDE.replace("DIGEST", "ab" * 32), *_examples())]
FILES = st.sampled_from(SMALL) | st.sampled_from(WHOLE)
VALUES: st.SearchStrategy[Any] = st.sampled_from(
    [
        None,
        True,
        False,
        3,
        -1,
        "wrong",
        "",
        [],
        {},
        ["wrong"],
        {"wrong": 1},
        {"is": "x"},
        [{"subject": "x"}],
        [[]],
    ]
)


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Give every container with each of its keys or indexes."""
    pairs = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in pairs:
        yield tree, key
        yield from _places(value)


@st.composite
def spoilt(draw: st.DrawFn) -> Any:
    """A file with one to three changes."""
    tree = copy.deepcopy(draw(FILES))
    for _ in range(draw(st.integers(1, 3))):
        places = list(_places(tree))
        if not places:
            return tree
        parent, key = draw(st.sampled_from(places))
        _spoil(draw, parent, key)
    return tree


def _spoil(draw: st.DrawFn, parent: Any, key: Any) -> None:
    how = draw(st.sampled_from(["value", "value", "drop", "rename", "wrap", "unwrap", "extra", "x"]))
    if how == "value":
        kept = VALUES if isinstance(parent, dict) else VALUES.filter(lambda value: value is not None)
        parent[key] = copy.deepcopy(draw(kept))
    elif how == "drop":
        del parent[key]
    elif how == "rename" and isinstance(parent, dict):
        parent[draw(st.sampled_from([f"{key}s", f"x-{key}", "is", "then", "rules"]))] = parent.pop(key)
    elif how == "wrap" and parent[key] is not None:  # In a list, YAML has the word for it, which is a text.
        parent[key] = [parent[key]]
    elif how == "unwrap" and isinstance(parent[key], list) and parent[key]:
        parent[key] = parent[key][0]
    elif isinstance(parent[key], dict):
        parent[key][
            "x-mine" if how == "x" else draw(st.sampled_from(["wrong", "subject", "label", "id"]))
        ] = 3


def _refusals(tree: Any) -> list[str]:
    try:
        load_rules({"r.yaml": json.dumps(tree).replace(": null", ": ")}, None)
    except RuleErrors as found:
        return [str(error) for error in found.errors]
    return []


@settings(max_examples=400, deadline=None)
@given(tree=spoilt())
def test_schema_and_loader_agree_by_shape(tree: Any) -> None:
    refusals = _refusals(tree)
    if VALIDATOR.is_valid(tree):
        assert [said for said in refusals if not BEYOND.search(said)] == []
    else:
        assert refusals, [error.message for error in VALIDATOR.iter_errors(tree)]


def test_what_is_spoilt_here_is_right_as_it_is() -> None:
    for tree in (*WHOLE, *SMALL):
        VALIDATOR.validate(tree)
        assert [said for said in _refusals(tree) if not BEYOND.search(said)] == []
