"""One fact about a mailbox, and the closed list of kinds that facts come in."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum

_encode = json.JSONEncoder(separators=(",", ":")).encode
"""Made once: `json.dumps` with separators makes an encoder for every event."""


class EventKind(StrEnum):
    """What can happen to a mailbox."""

    MESSAGE_RECEIVED = "message.received"
    MESSAGE_SENT = "message.sent"
    MESSAGE_UPDATED = "message.updated"
    MESSAGE_DELETED = "message.deleted"
    MESSAGE_IMPORTED = "message.imported"
    LABEL_ADDED = "label.added"
    LABEL_REMOVED = "label.removed"
    SETTINGS_CHANGED = "settings.changed"
    DELEGATE_CHANGED = "delegate.changed"


@dataclass(frozen=True, slots=True)
class Event:
    """One fact. `id` names it for ever: reading the same history twice gives the same ids.

    A reception is identified by (mailbox, message key) alone, so that a message is judged once
    however often it is reported; other facts carry the history id that reported them.
    """

    kind: EventKind
    mailbox: str
    history: int
    """The provider's history id of the record, 0 when the event came from a listing."""
    key: str = ""
    """The stable message key; empty for settings and delegates."""
    thread: str = ""
    labels: tuple[str, ...] = ()
    """The message's labels as the record shows them, by name."""
    changed: tuple[str, ...] = ()
    """Label names added or removed; a setting's type; a delegate's address."""
    payload: str = ""
    """The JSON text that an event of a hook brings along, "" where there is none."""

    @property
    def id(self) -> str:
        if self.kind in (EventKind.MESSAGE_RECEIVED, EventKind.MESSAGE_IMPORTED):
            return f"{self.mailbox}/{self.key}"
        return f"{self.mailbox}/{self.key}/{self.kind}/{self.history}/{','.join(self.changed)}"

    def to_json(self) -> str:
        return _encode(
            {name: getattr(self, name) for name in self.__slots__ if name != "payload" or self.payload}
        )

    @classmethod
    def from_json(cls, text: str | bytes) -> Event:
        fields = json.loads(text)
        fields["kind"] = EventKind(fields["kind"])
        fields["labels"], fields["changed"] = tuple(fields["labels"]), tuple(fields["changed"])
        return cls(**fields)


OUTBOUND = frozenset({"SENT", "SCHEDULED", "DRAFT"})


def is_outbound(labels: tuple[str, ...] | frozenset[str]) -> bool:
    """Say whether labels show our own footsteps: sent or drafted here, and not arrived here."""
    return not OUTBOUND.isdisjoint(labels) and "INBOX" not in labels
