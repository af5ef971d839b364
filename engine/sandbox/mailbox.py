"""Everything that changes a mailbox. Each change of a message writes one history record.

A record names what was done (`messagesAdded`, `labelsRemoved` ...) and shows the message with the
labels it has afterwards; one call that both adds and removes labels writes one record with both
keys. A change that changes nothing writes no record. Deliveries, drafts and sent copies are
`messagesAdded`, a draft written anew is `messagesUpdated`; an insert is `messagesImportedNew` when it
lands in the INBOX ("newly delivered since the last round of import", Zoom's text), else
`messagesImported`.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection
from dataclasses import dataclass

from engine.mail.headers import Headers, parse_headers
from engine.mail.mime import parse, to_message
from engine.sandbox.counts import count
from engine.sandbox.failure import ApiError, not_found
from engine.sandbox.ids import message_id
from engine.sandbox.labels import HIDING, make_system_labels
from engine.sandbox.store import Mailbox, Store
from engine.sandbox.threading import remember, thread_of

SNIPPET = 200
"""Characters of text shown as a preview."""
_SCANNED = 4 * SNIPPET
_FIRST_HISTORY = 1000


@dataclass(frozen=True, slots=True)
class Stored:
    """One message as the tables hold it; `date` and `moved` in epoch milliseconds."""

    row: int
    id: str
    thread: str
    date: int
    history: int
    size: int
    snippet: str
    moved: int | None
    send_time: int | None
    user_scheduled: bool


def add_mailbox(
    store: Store,
    address: str,
    aliases: Collection[str] = (),
    groups: Collection[str] = (),
    status: str = "active",
) -> Mailbox:
    """Host a mailbox, or change the profile of one that is hosted already."""
    names = [json.dumps([name.casefold() for name in them]) for them in (aliases, groups)]
    known = store.mailbox(address)
    if known is not None:
        store.db.execute(
            "UPDATE mailboxes SET aliases = ?, groups = ?, status = ? WHERE row = ?",
            (*names, status, known.row),
        )
    else:
        store.db.execute(
            "INSERT INTO mailboxes (address, aliases, groups, status, created, history, floor)"
            " VALUES (?, ?, ?, ?, ?, ?, 0)",
            (address.casefold(), *names, status, store.now() // 1000, _FIRST_HISTORY),
        )
    box = store.mailbox(address)
    assert box is not None, "it was just written"  # noqa: S101
    if known is None:
        make_system_labels(store, box)
    return box


def add_message(
    store: Store,
    box: Mailbox,
    raw: bytes,
    labels: Collection[str],
    *,
    kind: str = "messagesAdded",
    date: int | None = None,
    send_time: int | None = None,
    user_scheduled: bool = False,
) -> Stored:
    """Put a message in. `labels` are ids that exist; `date` is its internal date, now by default."""
    headers = parse_headers(raw)
    row = newest_row(store) + 1
    id_ = message_id(box.address, row)
    thread = thread_of(store, box, headers, id_)
    history = store.record(box, {kind: [{"message": _shown(id_, thread, labels)}]})
    when = store.now() if date is None else date
    store.db.execute(
        "INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, ?, ?)",
        (row, box.row, id_, thread, own_message_id(headers), when, history, len(raw),
         not HIDING.isdisjoint(labels), _snippet(raw), send_time, user_scheduled),
    )  # fmt: skip
    store.db.execute("INSERT INTO contents VALUES (?, ?)", (row, raw))
    store.db.executemany(
        "INSERT INTO message_labels VALUES (?, ?, ?, ?)", [(box.row, label, when, row) for label in labels]
    )
    count(store, box, thread, (), labels)
    return require_message(store, box, id_)


def change_labels(
    store: Store, box: Mailbox, message: Stored, add: Collection[str], remove: Collection[str]
) -> None:
    """Put labels on a message and take others off; ids that exist."""
    before = labels_of(store, message)
    added = sorted(set(add) - before)
    removed = sorted(set(remove) & before)
    if not added and not removed:
        return
    after = before.union(added).difference(removed)
    shown = _shown(message.id, message.thread, after)
    changes: dict[str, object] = {}
    if added:
        changes["labelsAdded"] = [{"labelIds": added, "message": shown}]
    if removed:
        changes["labelsRemoved"] = [{"labelIds": removed, "message": shown}]
    history = store.record(box, changes)
    store.db.executemany(
        "INSERT INTO message_labels VALUES (?, ?, ?, ?)",
        [(box.row, label, message.date, message.row) for label in added],
    )
    store.db.executemany(
        "DELETE FROM message_labels WHERE message = ? AND label = ?",
        [(message.row, label) for label in removed],
    )
    count(store, box, message.thread, before, after)
    store.db.execute(
        "UPDATE messages SET history = ?, moved = ?, hidden = ? WHERE row = ?",
        (history, store.now(), not HIDING.isdisjoint(after), message.row),
    )


def rewrite_message(store: Store, box: Mailbox, message: Stored, raw: bytes) -> Stored:
    """Replace the content of a draft; its id, thread and internal date stay (presumed)."""
    headers = parse_headers(raw)
    shown = _shown(message.id, message.thread, labels_of(store, message))
    history = store.record(box, {"messagesUpdated": [{"message": shown}]})
    remember(store, box, headers, message.thread)
    store.db.execute(
        "UPDATE messages SET history = ?, message_id = ?, size = ?, snippet = ? WHERE row = ?",
        (history, own_message_id(headers), len(raw), _snippet(raw), message.row),
    )
    store.db.execute("UPDATE contents SET raw = ? WHERE message = ?", (raw, message.row))
    return require_message(store, box, message.id)


def delete_message(store: Store, box: Mailbox, message: Stored) -> None:
    """Remove a message for good."""
    labels = labels_of(store, message)
    store.record(box, {"messagesDeleted": [{"message": _shown(message.id, message.thread, labels)}]})
    count(store, box, message.thread, labels, ())
    store.db.execute("DELETE FROM message_labels WHERE message = ?", (message.row,))
    store.db.execute("DELETE FROM contents WHERE message = ?", (message.row,))
    store.db.execute("DELETE FROM messages WHERE row = ?", (message.row,))


def find_message(store: Store, box: Mailbox, id_: str) -> Stored | None:
    row = store.db.execute("SELECT * FROM messages WHERE mailbox = ? AND id = ?", (box.row, id_)).fetchone()
    return stored(row) if row else None


def require_message(store: Store, box: Mailbox, id_: str) -> Stored:
    """Find a message. Raises ApiError 404."""
    message = find_message(store, box, id_)
    if message is None:
        raise not_found("The message")
    return message


def stored(row: sqlite3.Row) -> Stored:
    """Read one row of `messages`."""
    return Stored(
        row["row"], row["id"], row["thread"], row["date"], row["history"], row["size"], row["snippet"],
        row["moved"], row["send_time"], bool(row["user_scheduled"]),
    )  # fmt: skip


def labels_of(store: Store, message: Stored) -> set[str]:
    """The ids of the labels that a message carries."""
    rows = store.db.execute("SELECT label FROM message_labels WHERE message = ?", (message.row,))
    return {row["label"] for row in rows}


def raw_of(store: Store, message: Stored) -> bytes:
    row = store.db.execute("SELECT raw FROM contents WHERE message = ?", (message.row,)).fetchone()
    return bytes(row["raw"])


def newest_row(store: Store) -> int:
    """The row of the message that came last, in any mailbox."""
    row = store.db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'messages'").fetchone()
    return int(row["seq"]) if row else 0


def own_message_id(headers: Headers) -> str:
    """The Message-ID without its brackets, "" if there is none."""
    return storable(headers.text("Message-ID").strip().strip("<>").strip())


def storable(text: str) -> str:
    """Replace lone surrogates, which neither SQLite nor UTF-8 can hold."""
    return text.encode("utf-8", "replace").decode()


def expire_history(store: Store, box: Mailbox) -> int:
    """Let every history id handed out so far expire; returns the next one, which is valid."""
    history = store.next_history(box)
    store.db.execute("UPDATE mailboxes SET floor = ? WHERE row = ?", (history, box.row))
    return history


def reject_fixed(labels: Collection[str], fixed: frozenset[str], where: str) -> None:
    """Refuse labels that callers may not move. Raises ApiError 400."""
    for label in fixed.intersection(labels):
        raise ApiError(400, f"Label {label} is set by the service alone.", code=300, field=where)


def _shown(id_: str, thread: str, labels: Collection[str]) -> dict[str, object]:
    return {"id": id_, "threadId": thread, "labelIds": sorted(labels)}


def _snippet(raw: bytes) -> str:
    text = to_message(parse(raw), key="", content=False).text[:_SCANNED]
    return storable(" ".join(text.split())[:SNIPPET])
