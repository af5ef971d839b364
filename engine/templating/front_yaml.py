"""The YAML of front matter as nodes that keep their places; anchors, aliases and tags are refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml
from yaml import events as ev

from engine.errors import Place, RuleError

MAX_DEPTH = 12
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?[0-9]{1,18}\.[0-9]{1,18}")
_WORDS: dict[str, Any] = {"": None, "~": None, "null": None, "true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Value:
    """One scalar with the place of its first character."""

    text: str
    place: Place
    plain: bool = False
    """Neither quoted nor a block: a number or a word of YAML may be meant."""


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: tuple[Node, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Fields:
    """A map; its keys are texts, each given once."""

    fields: dict[str, tuple[Value, Node]]
    place: Place


Node = Value | Items | Fields


def read_yaml(file: str, head: str) -> Fields:
    """Read the map that front matter is; its first line is the file's second. Raises RuleError."""
    stream = iter(_events(file, head))
    first = next(stream, None)
    if not isinstance(first, ev.MappingStartEvent):
        raise RuleError("front matter is a map such as `subject: Thank you`", Place(file, 2, 1))
    return _fields(file, first, stream, 0)


def as_data(node: Node) -> Any:
    """Give the plain value of a node: texts, numbers, true, false and null, as YAML 1.2 has them."""
    if isinstance(node, Items):
        return [as_data(item) for item in node.items]
    if isinstance(node, Fields):
        return {name: as_data(value) for name, (_, value) in node.fields.items()}
    if not node.plain:
        return node.text
    if node.text in _WORDS:
        return _WORDS[node.text]
    if _INTEGER.fullmatch(node.text):
        return int(node.text)
    return float(node.text) if _FLOAT.fullmatch(node.text) else node.text


def _events(file: str, head: str) -> list[ev.Event]:
    try:
        return [
            event
            for event in yaml.parse(head, Loader=yaml.CSafeLoader)
            if not isinstance(event, ev.StreamStartEvent | ev.DocumentStartEvent)
        ]
    except yaml.MarkedYAMLError as error:
        raise RuleError(f"not YAML: {error.problem}", _place(file, error.problem_mark)) from None
    except yaml.YAMLError as error:
        raise RuleError(f"not YAML: {error}", Place(file, 1, 1)) from None


def _node(file: str, event: ev.Event, stream: Iterator[ev.Event], depth: int) -> Node:
    if depth > MAX_DEPTH:
        raise RuleError(f"is nested more than {MAX_DEPTH} levels deep", _place(file, event.start_mark))
    if isinstance(event, ev.MappingStartEvent):
        return _fields(file, event, stream, depth)
    if isinstance(event, ev.SequenceStartEvent):
        _bare(file, event)
        items = []
        for item in stream:
            if isinstance(item, ev.SequenceEndEvent):
                break
            items.append(_node(file, item, stream, depth + 1))
        return Items(tuple(items), _place(file, event.start_mark))
    return _scalar(file, event)


def _fields(file: str, start: ev.Event, stream: Iterator[ev.Event], depth: int) -> Fields:
    _bare(file, start)
    fields: dict[str, tuple[Value, Node]] = {}
    for event in stream:
        if isinstance(event, ev.MappingEndEvent):
            break
        key = _scalar(file, event)
        if key.text in fields:
            raise RuleError(f"`{key.text}` is given twice", key.place)
        fields[key.text] = (key, _node(file, next(stream), stream, depth + 1))
    return Fields(fields, _place(file, start.start_mark))


def _scalar(file: str, event: ev.Event) -> Value:
    place = _place(file, event.start_mark)
    if not isinstance(event, ev.ScalarEvent):
        raise RuleError("only plain texts and lists of them may stand here", place)
    _bare(file, event)
    quoted = event.style in {"'", '"'}
    shift = Place(file, place.line, (place.column or 1) + quoted) if event.style not in {"|", ">"} else place
    return Value(event.value, shift, plain=not event.style)


def _bare(file: str, event: Any) -> None:
    if event.anchor or event.tag:
        place = _place(file, event.start_mark)
        raise RuleError("only plain texts and lists of them may stand here", place)


def _place(file: str, mark: Any) -> Place:
    return Place(file, mark.line + 2, mark.column + 1) if mark else Place(file, 1, 1)
