"""Sending: the copy is SCHEDULED for the undo window, then SENT under the same id and delivered.

Recipients that the sandbox hosts, under their address, an alias or a group address, get the
message; the others' mail stays in the outbox. Nobody gets the Bcc fields.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from uuid import uuid4

from engine.mail.address import parse_addresses
from engine.mail.headers import parse_headers
from engine.sandbox.delivery import carry
from engine.sandbox.failure import invalid
from engine.sandbox.letters import Letter
from engine.sandbox.mailbox import (
    Stored,
    add_message,
    change_labels,
    find_message,
    labels_of,
    own_message_id,
    raw_of,
    storable,
)
from engine.sandbox.store import Mailbox, Store

_BCC = re.compile(rb"(?:\A|(?<=\n))bcc[ \t]*:[^\n]*(?:\n[ \t][^\n]*)*\n?", re.IGNORECASE)
_HEAD_END = re.compile(rb"(?:\A|\n)\r?\n")


def submit(
    store: Store, box: Mailbox, raw: bytes, labels: Collection[str], *, due: int, user_scheduled: bool
) -> Stored:
    """Take a message for sending at `due` (epoch ms). Raises ApiError 400 without a recipient."""
    if not recipients_of(raw):
        raise invalid("raw", "The message names no recipient.")
    return add_message(
        store,
        box,
        _with_message_id(raw),
        {*labels, "SCHEDULED"},
        send_time=due,
        user_scheduled=user_scheduled,
    )


def due_messages(store: Store) -> list[tuple[str, str, int]]:
    """What waits to be sent: (mailbox address, message id, epoch ms)."""
    rows = store.db.execute(
        "SELECT b.address, m.id, m.send_time FROM message_labels l"
        " JOIN messages m ON m.row = l.message JOIN mailboxes b ON b.row = m.mailbox"
        " WHERE l.label = 'SCHEDULED' AND m.send_time IS NOT NULL"
    )
    return [(row["address"], row["id"], row["send_time"]) for row in rows]


def dispatch(store: Store, box: Mailbox, id_: str) -> None:
    """Send what is still scheduled: trashing or deleting the copy is the undo."""
    message = find_message(store, box, id_)
    if message is None:
        return
    labels = labels_of(store, message)
    if "SCHEDULED" not in labels or "TRASH" in labels:
        return
    change_labels(store, box, message, {"SENT"}, {"SCHEDULED"})
    raw = raw_of(store, message)
    carry(store, [Letter(box.address, without_bcc(raw), tuple(recipients_of(raw)), message.id)])


def recipients_of(raw: bytes) -> list[str]:
    """To, Cc and Bcc, each address once, in comparable form."""
    headers = parse_headers(raw)
    fields = [value for name in ("To", "Cc", "Bcc") for value in headers.all(name)]
    return list(dict.fromkeys(storable(found.normal) for found in parse_addresses(fields) if found.domain))


def without_bcc(raw: bytes) -> bytes:
    """Take the Bcc fields out of the header block, leaving every other byte as it was."""
    end = _HEAD_END.search(raw)
    cut = end.end() if end else len(raw)
    return _BCC.sub(b"", raw[:cut]) + raw[cut:]


def _with_message_id(raw: bytes) -> bytes:
    """A message without an id gets one, as any submission server would give it (RFC 6409, 8.3)."""
    if own_message_id(parse_headers(raw)):
        return raw
    return f"Message-ID: <{uuid4().hex}@sandbox.invalid>\r\n".encode() + raw
