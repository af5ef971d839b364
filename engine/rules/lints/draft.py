"""A small message made up to prove a finding, as a rule's test would be given it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from engine.mail.events import Event, EventKind
from engine.mail.headers import Headers
from engine.mail.message import ALONE, Attachment, Message
from engine.rules.home import Home
from engine.rules.view import View

KEY = "proof"
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
LABELS = frozenset({"INBOX", "UNREAD"})
SHOWN: Mapping[str, str] = {"from": "from", "to": "to", "cc": "cc", "subject": "subject"}
"""Header fields that a test gives under a key of their own."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What is made up of a message; changing it gives another."""

    fields: Mapping[str, str] = field(default_factory=dict)
    """Header fields by name in lower case."""
    body: str = ""
    files: tuple[Attachment, ...] = ()
    size: int | None = None
    labels: frozenset[str] = LABELS
    mailbox: str = ""

    def with_field(self, name: str, value: str) -> Draft:
        return replace(self, fields={**self.fields, name.lower(): value})

    def message(self) -> Message:
        """Make the message that a test would be given."""
        least = sum(each.size for each in self.files) + len(self.body.encode(errors="replace"))
        return Message(
            key=KEY,
            mailbox=self.mailbox,
            thread=KEY,
            labels=self.labels,
            received=NOW,
            _headers=Headers([*self.fields.items()]),
            _size=least if self.size is None else self.size,
            _text=self.body,
            _attachments=self.files,
            _conversation=ALONE,
        )

    def view(self, home: Home) -> View:
        return View(self.message(), NOW, home=home)

    def event(self, kind: EventKind) -> Event:
        return Event(kind, self.mailbox, 0, KEY, labels=tuple(sorted(self.labels)))

    def given(self) -> dict[str, Any]:
        """Write it as the `given` of a test."""
        given: dict[str, Any] = {
            SHOWN[name]: value for name, value in sorted(self.fields.items(), key=_order) if name in SHOWN
        }
        headers = {name: value for name, value in self.fields.items() if name not in SHOWN}
        files = [_file(each) for each in self.files]
        rest: dict[str, Any] = {"headers": headers, "body": self.body, "attachments": files}
        rest |= {"size": None if self.size is None else f"{self.size}B", "mailbox": self.mailbox}
        given |= {key: value for key, value in rest.items() if value}
        return given if self.labels == LABELS else {**given, "labels": sorted(self.labels)}

    def __str__(self) -> str:
        return f"given: {_flow(self.given())}"


def _order(item: tuple[str, str]) -> int:
    return list(SHOWN).index(item[0]) if item[0] in SHOWN else len(SHOWN)


def _file(file: Attachment) -> dict[str, str]:
    return {"name": file.name, "type": file.type, "size": f"{file.size}B"}


def _flow(value: Any) -> str:
    """Write YAML in one line: JSON is YAML, and keys need no quotes."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(key)}: {_flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return json.dumps(value, ensure_ascii=not value.isprintable())


def _key(key: str) -> str:
    return key if key.replace("-", "").isalnum() else json.dumps(key)
