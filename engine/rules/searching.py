"""A search line as the conditions that it stands for."""

from __future__ import annotations

from typing import Any

from engine.mail.query import (
    Age,
    AllOf,
    AnyOf,
    Date,
    HasAttachment,
    HasUserLabel,
    MessageId,
    Not,
    Query,
    Size,
    Words,
)
from engine.mail.query import Field as InField
from engine.mail.query import Label as Labelled
from engine.mail.search_match import PEOPLE, SYSTEM
from engine.rules.condition import Condition
from engine.rules.conditions.all_ import All
from engine.rules.conditions.any_ import Any as AnyOne
from engine.rules.conditions.attachment import Attachment
from engine.rules.conditions.label import Label
from engine.rules.conditions.not_ import Not as NotOne
from engine.rules.conditions.received import Received
from engine.rules.conditions.size import Size as SizeOf
from engine.rules.search_leaves import (
    HasOwnLabel,
    IsLabelled,
    IsMessage,
    SaysInField,
    WrittenBy,
    says_words,
)

_A_DAY = 86_400
_MOST_BYTES = 10**15 - 1


def conditions_of(query: Query) -> Condition:
    """Give the condition that a search line stands for."""
    match query:
        case AllOf(()):
            return _anywhere()
        case AllOf(queries):
            return All.model_construct(conditions=tuple(map(conditions_of, queries)))
        case AnyOf(queries):
            return AnyOne.model_construct(conditions=tuple(map(conditions_of, queries)))
        case Not(inner):
            return NotOne.model_construct(condition=conditions_of(inner))
        case Words(text):
            return says_words(text)
        case _:
            return _fact(query)


def _anywhere() -> Condition:
    """`in:anywhere` holds of all mail, and lets mail in spam reach the rule."""
    spam = Label.model_validate({"is": "SPAM"})
    return AnyOne.model_construct(conditions=(spam, NotOne.model_construct(condition=spam)))


def _fact(query: Query) -> Condition:
    match query:
        case InField(name, text):
            return _in_field(name, text)
        case Labelled(name):
            return _labelled(name)
        case HasUserLabel():
            return HasOwnLabel.model_construct(term="has:userlabels")
        case HasAttachment():
            return Attachment.model_validate("true")
        case MessageId(wanted):
            return IsMessage.model_construct(term=f"rfc822msgid:{wanted}", text=wanted)
        case _:
            return _measured(query)


def _in_field(name: str, text: str) -> Condition:
    term = f"{name}:{text}"
    if name in PEOPLE:
        return WrittenBy.model_construct(term=term, text=text, field=PEOPLE[name])
    return SaysInField.model_construct(term=term, text=text, field="list-id" if name == "list" else name)


def _labelled(name: str) -> Condition:
    system = name.upper()
    if system in SYSTEM or system.startswith("CATEGORY_"):
        return Label.model_validate({"is": system})
    return IsLabelled.model_construct(term=f"label:{name}", text=name)


def _measured(query: Query) -> Condition:
    match query:
        case Size(above, below):
            kinds = {"gt": above, "lt": below}
            return SizeOf.model_validate(
                {kind: f"{min(size, _MOST_BYTES)}B" for kind, size in kinds.items() if size is not None}
            )
        case Date(since, until, floating):
            dates: dict[str, Any] = {"after": since, "before": until}
            given = {kind: date for kind, date in dates.items() if date is not None}
            bare = {"tzinfo": None} if floating else {}
            return Received.model_validate(
                {kind: date.replace(**bare).isoformat() for kind, date in given.items()}
            )
        case Age(over, under):
            ages = {"older_than": over, "newer_than": under}
            return Received.model_validate(
                {kind: f"{age // _A_DAY}d" for kind, age in ages.items() if age is not None}
            )
        case _:
            raise TypeError(f"no condition for {type(query).__name__}")
