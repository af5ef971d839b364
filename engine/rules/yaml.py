"""YAML 1.2 as a tree of nodes that remember where they stand, built from libyaml's events."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml as libyaml

from engine.errors import Place, RuleError
from engine.rules.findings import RuleErrors
from engine.rules.syntax import position, syntax_error

MAX_DEPTH = 64
MAX_CHARACTERS = 32_000_000
_HALF_CHARACTER = re.compile(r"[\ud800-\udfff]")


class Scalar(NamedTuple):
    """A text as it stands in the source; `empty` when nothing stands there."""

    text: str
    line: int
    column: int
    empty: bool = False


class Seq(NamedTuple):
    """A list; in block style its items begin at `column`, where the dashes are."""

    items: tuple[Node, ...]
    line: int
    column: int
    flow: bool


class Map(NamedTuple):
    """A map with text keys, none of them twice."""

    items: dict[str, tuple[Scalar, Node]]
    line: int
    column: int


Node = Scalar | Seq | Map


def parse_yaml(text: str, file: str, first: str = "rules") -> Node:
    """Read one document. Raises RuleErrors that hold every problem found.

    `first` is the key that whoever wrote nothing yet should begin with.
    """
    if len(text) > MAX_CHARACTERS:
        raise RuleErrors([RuleError(f"is larger than {MAX_CHARACTERS} characters", Place(file))])
    half = _HALF_CHARACTER.search(text)
    if half:
        place = Place(file, *position(text[: half.start()]))
        raise RuleErrors([RuleError("holds a byte that is not UTF-8", place)])
    builder = _Builder(file, first)
    try:
        node = builder.document(libyaml.parse(text, Loader=libyaml.CSafeLoader))
    except libyaml.YAMLError as error:
        raise RuleErrors([*builder.errors, syntax_error(error, text, file)]) from None
    except RuleError as error:
        raise RuleErrors([*builder.errors, error]) from None
    if builder.errors:
        raise RuleErrors(builder.errors)
    return node


def plain(node: Node) -> Any:
    """Turn nodes into maps, lists and texts; an empty scalar becomes None."""
    if isinstance(node, Scalar):
        return None if node.empty else node.text
    if isinstance(node, Seq):
        return [plain(item) for item in node.items]
    return {key: plain(value) for key, (_, value) in node.items.items()}


class _Builder:
    """Builds nodes from events and notes what is refused."""

    def __init__(self, file: str, first: str) -> None:
        self.file, self.first = file, first
        self.errors: list[RuleError] = []

    def document(self, events: Iterator[Any]) -> Node:
        next(events)
        if isinstance(next(events), libyaml.StreamEndEvent):
            what = f"is empty; write '{self.first}:' and {self.first} below it"
            raise RuleError(what, Place(self.file, 1, 1))
        node = self.node(next(events), events, 1)
        next(events)
        after = next(events)
        if not isinstance(after, libyaml.StreamEndEvent):
            self.refuse(after, "a second document; write one per file")
        return node

    def node(self, event: Any, events: Iterator[Any], depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise RuleError(f"is nested deeper than {MAX_DEPTH} levels", self.place(event))
        self.refuse_extras(event)
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        if isinstance(event, libyaml.ScalarEvent):
            return Scalar(event.value, line, column, not event.value and event.implicit[0])
        if isinstance(event, libyaml.SequenceStartEvent):
            return Seq(tuple(self.items(events, depth)), line, column, bool(event.flow_style))
        if isinstance(event, libyaml.MappingStartEvent):
            return Map(self.pairs(events, depth), line, column)
        return Scalar("", line, column, True)

    def items(self, events: Iterator[Any], depth: int) -> Iterator[Node]:
        while not isinstance(event := next(events), libyaml.SequenceEndEvent):
            yield self.node(event, events, depth + 1)

    def pairs(self, events: Iterator[Any], depth: int) -> dict[str, tuple[Scalar, Node]]:
        found: dict[str, tuple[Scalar, Node]] = {}
        while not isinstance(event := next(events), libyaml.MappingEndEvent):
            key = self.node(event, events, depth + 1)
            value = self.node(next(events), events, depth + 1)
            if not isinstance(key, Scalar):
                self.refuse(event, "a key that is not a text; quote a text that begins with '{' or '['")
            elif key.text in found:
                self.refuse(event, f"the key '{key.text}' stands here twice; join the two, or take one out")
            else:
                found[key.text] = (key, value)
        return found

    def refuse_extras(self, event: Any) -> None:
        if isinstance(event, libyaml.AliasEvent):
            self.refuse(event, "an alias ('*'); write the value out, or quote the text")
        elif event.anchor is not None:
            self.refuse(event, "an anchor ('&'); write the value out, or quote the text")
        elif event.tag is not None:
            self.refuse(event, "a tag ('!'); quote the text if it begins with '!'")

    def refuse(self, event: Any, what: str) -> None:
        self.errors.append(RuleError(f"not allowed: {what}", self.place(event)))

    def place(self, event: Any) -> Place:
        return Place(self.file, event.start_mark.line + 1, event.start_mark.column + 1)
