"""What a search line says, as a tree of plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Words:
    """Words in a row, anywhere in subject, text, people or attachment names."""

    text: str


@dataclass(frozen=True, slots=True)
class Field:
    """Words in one place: from, to, cc, bcc, subject, filename, list or deliveredto."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Label:
    """A label on the message; `-`, blank and `/` are one, case does not matter."""

    name: str


@dataclass(frozen=True, slots=True)
class HasAttachment:
    """At least one attached file."""


@dataclass(frozen=True, slots=True)
class Size:
    """Size of the whole message in bytes; both ends are outside."""

    above: int | None = None
    below: int | None = None


@dataclass(frozen=True, slots=True)
class Date:
    """When the message came: not before `since`, and before `until`."""

    since: datetime | None = None
    until: datetime | None = None
    floating: bool = field(default=False, compare=False)
    """Whether its author named no zone, so that another one may be put in its place."""


@dataclass(frozen=True, slots=True)
class Age:
    """How long ago the message came, in seconds: at least `over`, or less than `under`."""

    over: int | None = None
    under: int | None = None


@dataclass(frozen=True, slots=True)
class HasUserLabel:
    """At least one label that somebody made."""


@dataclass(frozen=True, slots=True)
class MessageId:
    """One message by its Message-ID, without angle brackets."""

    id: str


@dataclass(frozen=True, slots=True)
class Not:
    """What must not hold."""

    query: Query


@dataclass(frozen=True, slots=True)
class AllOf:
    """What must hold together; of nothing, everything."""

    queries: tuple[Query, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Of which one must hold."""

    queries: tuple[Query, ...]


Query = (
    Words | Field | Label | HasUserLabel | HasAttachment | Size | Date | Age | MessageId | Not | AllOf | AnyOf
)
