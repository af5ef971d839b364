"""History records into events: one closed table, and everything else kept as unknown."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import Field, ValidationError

from engine.mail.events import Event, EventKind, is_outbound
from engine.providers.zoom_mail.models import Answered, Number, Reference, Text

Names = Mapping[str, str]
"""Label ids to names; an id that it lacks stands for itself."""

Record = Mapping[str, Any]
"""One history record, as it came."""


class MessageEntry(Answered):
    """A message as a record names it, with the labels that were added or removed."""

    message: Reference
    changed: tuple[Text, ...] = Field(default=(), alias="labelIds")


class SettingEntry(Answered):
    type: Text = Field(min_length=1)


class DelegateEntry(Answered):
    address: Text = Field(min_length=1)


class RecordId(Answered):
    id: Number = Field(gt=0)


@dataclass(frozen=True, slots=True)
class _At:
    """Where and when a record's facts belong."""

    mailbox: str
    history: int
    names: Names

    def fact(self, kind: EventKind, entry: MessageEntry, changed: tuple[str, ...] = ()) -> Event:
        message = entry.message
        labels = self.named(message.labels)
        return Event(kind, self.mailbox, self.history, message.id, message.thread, labels, changed)

    def bare(self, kind: EventKind, changed: str) -> Event:
        return Event(kind, self.mailbox, self.history, changed=(changed,))

    def named(self, ids: Iterable[str]) -> tuple[str, ...]:
        return tuple(self.names.get(label, label) for label in ids)


_Reader = Callable[[_At, Any], list[Event]]


def events(record: Record, mailbox: str, names: Names) -> tuple[list[Event], list[str]]:
    """Give a record's events, and as JSON what no event kind is known for."""
    found: list[Event] = []
    unknown: list[str] = []
    at = _At(mailbox, record_id(record), names)
    if not at.history:
        return [], [_kept(record)]
    for key, content in record.items():
        if key in _SILENT or not content:
            continue
        for entry in _listed(content):
            try:
                found += _READERS[key](at, entry)
            except (KeyError, ValidationError):
                unknown.append(_kept({"id": record["id"], key: [entry]}))
    return found, unknown


def record_id(record: Record) -> int:
    """Give the history id of a record, 0 if it has none that can be read."""
    written = record.get("id")
    if isinstance(written, str) and written.isascii() and written.isdecimal() and len(written) < 20:
        return int(written)
    try:
        return RecordId.model_validate(record).id
    except ValidationError:
        return 0


def label_ids(records: Iterable[Record]) -> frozenset[str]:
    """Collect every label id that records mention."""
    entries = (entry for record in records for key in _LABELLED for entry in _listed(record.get(key)))
    return frozenset(label for entry in entries if isinstance(entry, dict) for label in _labels(entry))


def touches_labels(records: Iterable[Record]) -> bool:
    """Tell whether labels were renamed, moved or deleted; one that was made contradicts nothing known."""
    entries = (entry for record in records for key in _RESHAPED for entry in _listed(record.get(key)))
    return any(isinstance(entry, dict) and entry.get("type") == "userLabels" for entry in entries)


def _listed(content: Any) -> list[Any]:
    return content if isinstance(content, list) else [content]


def _labels(entry: Record) -> Iterable[str]:
    """The label ids that an entry mentions, as far as it can be read."""
    for holder in (entry, entry.get("message")):
        labels = holder.get("labelIds") if isinstance(holder, dict) else None
        yield from map(str, labels if isinstance(labels, list) else ())


def _arrived(at: _At, entry: Any) -> list[Event]:
    """Tell mail that arrived from what was sent or drafted here."""
    fact = at.fact(EventKind.MESSAGE_RECEIVED, MessageEntry.model_validate(entry))
    if not is_outbound(fact.labels):
        return [fact]
    kind = EventKind.MESSAGE_SENT if "SENT" in fact.labels else EventKind.MESSAGE_UPDATED
    return [at.fact(kind, MessageEntry.model_validate(entry))]


def _message(kind: EventKind) -> _Reader:
    return lambda at, entry: [at.fact(kind, MessageEntry.model_validate(entry))]


def _labels_added(at: _At, entry: Any) -> list[Event]:
    read = MessageEntry.model_validate(entry)
    changed = at.named(read.changed)
    added = at.fact(EventKind.LABEL_ADDED, read, changed)
    # A scheduled copy becomes a sent one by its label alone.
    return [added, at.fact(EventKind.MESSAGE_SENT, read)] if "SENT" in changed else [added]


def _labels_removed(at: _At, entry: Any) -> list[Event]:
    read = MessageEntry.model_validate(entry)
    return [at.fact(EventKind.LABEL_REMOVED, read, at.named(read.changed))]


def _setting(at: _At, entry: Any) -> list[Event]:
    return [at.bare(EventKind.SETTINGS_CHANGED, SettingEntry.model_validate(entry).type)]


def _delegate(at: _At, entry: Any) -> list[Event]:
    read = DelegateEntry.model_validate({"address": entry})
    return [at.bare(EventKind.DELEGATE_CHANGED, read.address)]


def _kept(record: Record) -> str:
    return json.dumps(record, separators=(",", ":"), sort_keys=True)


_SILENT = frozenset({"id", "cid"})
_SETTINGS = ("settingsAdded", "settingsUpdated", "settingsDeleted")
_RESHAPED = ("settingsUpdated", "settingsDeleted")
_READERS: Mapping[str, _Reader] = {
    "messagesAdded": _arrived,
    "messagesImportedNew": _arrived,
    "messagesImported": _message(EventKind.MESSAGE_IMPORTED),
    "messagesUpdated": _message(EventKind.MESSAGE_UPDATED),
    "messagesDeleted": _message(EventKind.MESSAGE_DELETED),
    "labelsAdded": _labels_added,
    "labelsRemoved": _labels_removed,
    **dict.fromkeys(_SETTINGS, _setting),
    **{
        f"{who}{what}": _delegate
        for who in ("delegates", "delegators")
        for what in ("Added", "Updated", "Deleted")
    },
}
_LABELLED = tuple(key for key in _READERS if key.startswith(("messages", "labels")))
