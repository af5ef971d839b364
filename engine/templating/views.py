"""What a template sees: read-only views of the message and of plain values."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any

from engine.mail.dates import message_date
from engine.mail.message import Message
from engine.mail.needs import NOTHING, Need, Needs

MAX_TEXT = 50_000
"""Characters of a message's text that a template sees."""
MAX_DIGITS = 18
SCALARS = frozenset({str, int, float})
"""What is shown as it is; looked at by type alone, since that is quick."""


@dataclass(frozen=True, slots=True)
class Context:
    """All that a rendering may read."""

    message: Message | None
    inputs: Mapping[str, str] = field(default_factory=dict)
    """A rule's own texts, which are small templates, not yet rendered."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """Inputs as plain values; nothing in them is rendered."""
    captures: Mapping[str, str] = field(default_factory=dict)
    steps: Mapping[str, Any] = field(default_factory=dict)
    mailbox: str = ""
    now: datetime | None = None
    payload: str = ""
    """The JSON text that a call brought along."""
    recipients: tuple[str, ...] = ()
    """The addresses it goes to, for the choice of a language."""
    zone: tzinfo | None = None
    """Where times are shown; None leaves them in the zone that they came with."""

    def variables(self) -> dict[str, Any]:
        """Name what every template may read besides its inputs."""
        return {
            "message": MessageView(self.message) if self.message else None,
            "captures": Fields(self.captures, "captures"),
            "steps": Fields(self.steps, "steps"),
            "mailbox": self.mailbox,
            "now": self.now,
            "payload": view(read_json(self.payload), "payload") if self.payload else Fields({}, "payload"),
        }


class View:
    """What templates read fields of: nothing but fields, each worked out once."""

    __slots__ = ("_known",)
    _known: dict[str, Any]

    def read(self, name: str) -> Any:
        """Give a field. Raises LookupError where there is none."""
        known = self._known
        if name not in known:
            known[name] = self._find(name)
        return known[name]

    def __getitem__(self, name: str | int) -> Any:
        return self.read(str(name))

    def _find(self, name: str) -> Any:
        raise NotImplementedError


class Fields(View):
    """A mapping without methods, so that a key named `items` is just a key."""

    __slots__ = ("_title", "fields")

    def __init__(self, fields: Mapping[str, Any], title: str) -> None:
        self._known = {}
        self.fields = fields
        self._title = title

    def __str__(self) -> str:
        return self._title

    def _find(self, name: str) -> Any:
        return view(self.fields[name], f"{self._title}.{name}")

    def __contains__(self, name: str) -> bool:
        return name in self.fields


class Number(float):
    """A number of JSON that prints as it was written: 9.90 stays 9.90."""

    __slots__ = ("written",)
    written: str

    def __str__(self) -> str:
        return self.written


def read_json(text: str) -> Any:
    """Read a payload; whole numbers too large to count with stay texts."""
    return json.loads(text, parse_float=_number, parse_int=_whole, parse_constant=str)


def _number(text: str) -> Number:
    number = Number(text)
    number.written = text
    return number


def _whole(text: str) -> int | str:
    return int(text) if len(text) <= MAX_DIGITS else text


def view(value: Any, title: str) -> Any:
    """Hide a plain value's methods, at every depth."""
    kind = type(value)
    if kind in SCALARS:
        return value
    if kind is dict or isinstance(value, Mapping):
        return Fields(value, title)
    return tuple([view(item, title) for item in value]) if isinstance(value, list | tuple) else value


@dataclass(frozen=True, slots=True)
class AddressView:
    name: str
    address: str

    def __str__(self) -> str:
        return self.address


@dataclass(frozen=True, slots=True)
class AttachmentView:
    name: str
    type: str
    size: int


PLAIN: Mapping[type, frozenset[str]] = {
    AddressView: frozenset({"name", "address"}),
    AttachmentView: frozenset({"name", "type", "size"}),
}
"""Views whose fields are there from the beginning."""


class HeadersView(View):
    """Header fields by name, decoded; "" for one that is absent."""

    __slots__ = ("_message",)

    def __init__(self, message: Message) -> None:
        self._known = {}
        self._message = message

    def _find(self, name: str) -> str:
        return self._message.headers.text(name)


class MessageView(View):
    """A message's parts, each read when asked for; see PARTS."""

    __slots__ = ("_message",)

    def __init__(self, message: Message) -> None:
        self._known = {}
        self._message = message

    def _find(self, name: str) -> Any:
        return PARTS[name][1](self._message)


def _addresses(message: Message, name: str) -> tuple[AddressView, ...]:
    return tuple(AddressView(found.name, found.address) for found in message.addresses(name))


def _sender(message: Message) -> AddressView:
    return next(iter(_addresses(message, "From")), AddressView("", ""))


def _date(message: Message) -> datetime | None:
    return message_date(message.headers) or message.received


def _attachments(message: Message) -> tuple[AttachmentView, ...]:
    return tuple(AttachmentView(item.name, item.type, item.size) for item in message.attachments)


PARTS: Mapping[str, tuple[Need, Callable[[Message], Any]]] = {
    "subject": (Need.HEADERS, lambda message: message.subject),
    "from": (Need.HEADERS, _sender),
    "to": (Need.HEADERS, lambda message: _addresses(message, "To")),
    "cc": (Need.HEADERS, lambda message: _addresses(message, "Cc")),
    "date": (Need.HEADERS, _date),
    "headers": (Need.HEADERS, HeadersView),
    "text": (Need.BODY, lambda message: message.text[:MAX_TEXT]),
    "attachments": (Need.ATTACHMENTS, _attachments),
}


def needs_of(parts: frozenset[str]) -> Needs:
    """Name what must be fetched for these parts of `message`."""
    return NOTHING.union(PARTS[part][0] for part in parts if part in PARTS)
