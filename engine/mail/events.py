"""One fact about a mailbox, and the closed list of kinds that facts come in."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

_encode = json.JSONEncoder(separators=(",", ":")).encode
"""Made once: `json.dumps` with separators makes an encoder for every event."""


HOOK = "hook."
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}", re.ASCII)
"""The name of a hook."""
SEND = "send.requested"
SUMMARY = "summary.due"
EMITTED = "emitted."
UNANSWERED = "message.unanswered."
"""Followed by how many seconds nobody has answered for."""
SCHEDULED = "schedule."
"""Followed by the id of the rule, or of its outermost group, whose time has come."""


class EventKind(StrEnum):
    """What can happen to a mailbox; beside these, `hook.NAME` for a call of each configured hook."""

    MESSAGE_RECEIVED = "message.received"
    MESSAGE_SENT = "message.sent"
    MESSAGE_UPDATED = "message.updated"
    MESSAGE_DELETED = "message.deleted"
    MESSAGE_IMPORTED = "message.imported"
    LABEL_ADDED = "label.added"
    LABEL_REMOVED = "label.removed"
    SETTINGS_CHANGED = "settings.changed"
    DELEGATE_CHANGED = "delegate.changed"

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        """Take a kind of call for a kind as well, the same object each time; no rule-wide list names it."""
        if not isinstance(value, str) or not (_is_call(value) or _is_emitted(value) or _is_timed(value)):
            return None
        kind = str.__new__(cls, value)
        kind._name_, kind._value_ = value, value
        found = cls._value2member_map_.setdefault(value, kind)
        assert isinstance(found, cls)  # noqa: S101 - nothing else is put there
        return found

    @property
    def hook(self) -> str:
        """The name of the hook, "" for what happened to a mailbox."""
        return self.value.removeprefix(HOOK) if self.value.startswith(HOOK) else ""

    @property
    def emitted(self) -> str:
        """The name of an event that a rule set off, "" for all others."""
        return self.value.removeprefix(EMITTED) if self.value.startswith(EMITTED) else ""

    @property
    def unanswered_s(self) -> int:
        """After how long without an answer it comes, 0 for all others."""
        return int(self.value.removeprefix(UNANSWERED)) if self.value.startswith(UNANSWERED) else 0

    @property
    def scheduled(self) -> str:
        """The id of the rule or group whose time has come, "" for all others."""
        return self.value.removeprefix(SCHEDULED) if self.value.startswith(SCHEDULED) else ""

    @property
    def of_message(self) -> bool:
        """Whether a message may come along."""
        return not _is_call(self.value)


def _is_call(kind: str) -> bool:
    name = kind.removeprefix(HOOK)
    return kind in (SEND, SUMMARY) if name == kind else NAME.fullmatch(name) is not None


def _is_emitted(kind: str) -> bool:
    name = kind.removeprefix(EMITTED)
    return name != kind and NAME.fullmatch(name) is not None


_AFTER = re.compile(rf"{re.escape(UNANSWERED)}[1-9]\d{{0,9}}", re.ASCII)


def _is_timed(kind: str) -> bool:
    return (
        kind in (UNANSWERED[:-1], SCHEDULED[:-1])
        or kind.startswith(SCHEDULED)
        or _AFTER.fullmatch(kind) is not None
    )


SEND_REQUESTED = EventKind(SEND)
"""Somebody asked for one message, by the API or the command line: no rule is asked."""
MESSAGE_UNANSWERED = EventKind(UNANSWERED[:-1])
SCHEDULE = EventKind(SCHEDULED[:-1])
"""What rules say that they hear; what they hear is a kind for each time, or for each rule."""
SUMMARY_DUE = EventKind(SUMMARY)
"""What a summary gathered is to be sent: the kind of the run that does so. No lane holds such an event."""


ADDED = frozenset({"payload", "applied", "only", "sends", "depth", "origin"})
"""Fields that few events have: they are written where they say something."""


@dataclass(frozen=True, slots=True)
class Event:
    """One fact. `id` names it for ever: reading the same history twice gives the same ids.

    A reception is identified by (mailbox, message key) alone, so that a message is judged once
    however often it is reported; other facts carry the history id that reported them.
    """

    kind: EventKind
    mailbox: str
    """Where it happened; of a call, the mailbox that mail because of it leaves from."""
    history: int
    """The provider's history id of the record, 0 when the event came from a listing."""
    key: str = ""
    """The stable message key; empty for settings and delegates."""
    thread: str = ""
    labels: tuple[str, ...] = ()
    """The message's labels as the record shows them, by name."""
    changed: tuple[str, ...] = ()
    """Label names added or removed; a setting's type; a delegate's address; which call of a hook."""
    payload: str = ""
    """The JSON text that an event of a hook brings along, "" where there is none."""
    applied: str = ""
    """The digest of the rules that a person applies to mail that is there already; "" where it just came."""
    only: str = ""
    """The one rule that is applied, "" for all."""
    sends: bool = False
    """Whether what is applied may also send."""
    depth: int = 0
    """How many events that rules set off led to this one, itself included."""
    origin: str = ""
    """The kind of the event that the first of these was about, "" where no rule set this one off."""

    @property
    def cause(self) -> EventKind:
        """What happened at first, for events that rules set off as well."""
        return EventKind(self.origin) if self.origin else self.kind

    @property
    def id(self) -> str:
        if self.kind in (EventKind.MESSAGE_RECEIVED, EventKind.MESSAGE_IMPORTED):
            return f"{self.mailbox}/{self.key}"
        return f"{self.mailbox}/{self.key}/{self.kind}/{self.history}/{','.join(self.changed)}"

    def to_json(self) -> str:
        return _encode(
            {name: value for name in self.__slots__ if (value := getattr(self, name)) or name not in ADDED}
        )

    @classmethod
    def from_json(cls, text: str | bytes) -> Event:
        fields = json.loads(text)
        fields["kind"] = EventKind(fields["kind"])
        fields["labels"], fields["changed"] = tuple(fields["labels"]), tuple(fields["changed"])
        return cls(**fields)


def hook_lane(hook: str) -> str:
    """Name the lane in which a hook's calls keep their order; no mailbox is named so."""
    return f"{HOOK}{hook}"


SEND_LANE = "send"
"""The lane of what API and command line ask for."""


def is_mailbox(lane: str) -> bool:
    """Tell a mailbox's lane from those of calls."""
    return lane != SEND_LANE and not lane.startswith(HOOK)


OUTBOUND = frozenset({"SENT", "SCHEDULED", "DRAFT"})


def is_outbound(labels: tuple[str, ...] | frozenset[str]) -> bool:
    """Say whether labels show our own footsteps: sent or drafted here, and not arrived here."""
    return not OUTBOUND.isdisjoint(labels) and "INBOX" not in labels
