"""What a rule may listen to, as its author writes it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from engine.mail.events import EMITTED, HOOK, MESSAGE_UNANSWERED, NAME, SCHEDULE, EventKind
from engine.rules.budgets import span
from engine.rules.findings import unknown

KINDS = (*EventKind, MESSAGE_UNANSWERED, SCHEDULE)


def _kind(value: Any) -> EventKind:
    if isinstance(value, EventKind):
        return value
    if not isinstance(value, str):
        raise ValueError(f"must be one of {', '.join(KINDS)}, {HOOK}NAME or {EMITTED}NAME")
    if value.startswith(EMITTED):
        if not NAME.fullmatch(value.removeprefix(EMITTED)):
            raise ValueError(f"'{value}' names no event; write {EMITTED}NAME, which 'emit: NAME' sets off")
    elif value.startswith(HOOK):
        if not NAME.fullmatch(value.removeprefix(HOOK)):
            raise ValueError(f"'{value}' names no hook; write {HOOK}NAME, such as hook.orders")
    elif value not in KINDS:
        named = {prefix.rstrip("."): f"did you mean '{prefix}NAME'?" for prefix in (HOOK, EMITTED)}
        raise ValueError(unknown("value", value, [*KINDS, *(f"{prefix}.NAME" for prefix in named)], named))
    return EventKind(value)


def told(kind: EventKind) -> str:
    """Name a kind as its author did: without the rule of a schedule, and with `after` as a time."""
    if kind.unanswered_s:
        return f"{MESSAGE_UNANSWERED} after {span(kind.unanswered_s)}"
    return str(SCHEDULE if kind.scheduled else kind)


EventName = Annotated[
    EventKind,
    PlainValidator(_kind),
    PlainSerializer(str),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": list(KINDS)},
                {"type": "string", "pattern": rf"^(hook|emitted)\.{NAME.pattern}$"},
            ]
        }
    ),
]
