"""The front matter of a template file: a small YAML map between two `---` lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml import events as ev

from engine.errors import Place, RuleError
from engine.templating.grammar import unknown

FENCE = "---"
MAX_FRONT = 16_384
KEYS = frozenset({"subject", "from_name", "inputs"})


@dataclass(frozen=True, slots=True)
class Value:
    """One scalar with the place of its first character."""

    text: str
    place: Place


@dataclass(frozen=True, slots=True)
class Front:
    """What stands above the body; `body_line` is the body's first line in the file."""

    body: str
    body_line: int
    subject: Value
    from_name: Value | None = None
    inputs: tuple[Value, ...] = field(default=())


def read_front(file: str, source: str) -> Front:
    """Split a template file. Raises RuleError."""
    lines = source.removeprefix("\ufeff").splitlines(keepends=True)
    fences = [number for number, line in enumerate(lines) if line.rstrip() == FENCE][:2]
    if len(fences) < 2 or fences[0] != 0:
        raise RuleError(f"begins with front matter between two lines `{FENCE}`", Place(file, 1, 1))
    head = "".join(lines[1 : fences[1]])
    if len(head) > MAX_FRONT:
        raise RuleError(f"front matter holds at most {MAX_FRONT:,} characters", Place(file, 1, 1))
    values = dict(_entries(file, head))
    if "subject" not in values:
        raise RuleError("`subject` is missing from the front matter", Place(file, 1, 1))
    return Front(
        body="".join(lines[fences[1] + 1 :]),
        body_line=fences[1] + 2,
        subject=_one(values["subject"], "subject"),
        from_name=_one(values["from_name"], "from_name") if "from_name" in values else None,
        inputs=tuple(values.get("inputs", [])),
    )


def _one(values: list[Value], key: str) -> Value:
    if len(values) != 1:
        raise RuleError(f"`{key}` takes one text", values[0].place if values else Place("?"))
    return values[0]


def _entries(file: str, head: str) -> Iterator[tuple[str, list[Value]]]:
    """Read `key: scalar` and `key: [scalars]`; everything else YAML can say is refused."""
    stream = _events(file, head)
    seen: set[str] = set()
    for event in stream:
        if isinstance(event, ev.MappingEndEvent):
            return
        key = _scalar(file, event)
        if key.text not in KEYS:
            raise RuleError(unknown("key", key.text, KEYS), key.place)
        if key.text in seen:
            raise RuleError(f"`{key.text}` is given twice", key.place)
        seen.add(key.text)
        values = _values(file, next(stream), stream)
        if key.text != "inputs" and len(values) != 1:
            raise RuleError(f"`{key.text}` takes one text", key.place)
        yield key.text, values


def _values(file: str, event: ev.Event, stream: Iterator[ev.Event]) -> list[Value]:
    if not isinstance(event, ev.SequenceStartEvent):
        return [_scalar(file, event)]
    values = []
    for item in stream:
        if isinstance(item, ev.SequenceEndEvent):
            break
        values.append(_scalar(file, item))
    return values


def _events(file: str, head: str) -> Iterator[ev.Event]:
    """Give the events inside the one top-level map."""
    try:
        parsed = [
            event
            for event in yaml.parse(head, Loader=yaml.CSafeLoader)
            if not isinstance(event, ev.StreamStartEvent | ev.DocumentStartEvent)
        ]
    except yaml.MarkedYAMLError as error:
        raise RuleError(f"not YAML: {error.problem}", _place(file, error.problem_mark)) from None
    except yaml.YAMLError as error:
        raise RuleError(f"not YAML: {error}", Place(file, 1, 1)) from None
    if not isinstance(parsed[0], ev.MappingStartEvent):
        raise RuleError("front matter is a map such as `subject: Thank you`", Place(file, 2, 1))
    return iter(parsed[1:])


def _scalar(file: str, event: ev.Event) -> Value:
    place = _place(file, event.start_mark)
    if not isinstance(event, ev.ScalarEvent) or event.anchor or event.tag:
        raise RuleError("only plain texts and lists of them may stand here", place)
    quoted = event.style in {"'", '"'}
    shift = Place(file, place.line, place.column + quoted) if event.style not in {"|", ">"} else place
    return Value(event.value, shift)


def _place(file: str, mark: Any) -> Place:
    return Place(file, mark.line + 2, mark.column + 1) if mark else Place(file, 1, 1)
