"""Pages of messages, newest first, and of history, oldest first."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from engine.sandbox.failure import not_found
from engine.sandbox.ids import page_token, read_page_token
from engine.sandbox.labels import HIDING, Label
from engine.sandbox.mailbox import Stored, stored
from engine.sandbox.store import Mailbox, Store

_NEWEST = (2**63 - 1, 2**63 - 1)
SEARCHED = 2_000
"""Messages looked at for one page, so that a search costs the same in any mailbox."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which messages a listing shows."""

    labels: Sequence[Label] = ()
    """A message must carry all of them."""
    hidden: bool = False
    """Whether spam and trash are shown."""
    where: str = ""
    """A further SQL condition on `m`, with its values."""
    values: tuple[object, ...] = ()
    message_id: str | None = None
    """The one Message-ID, without brackets, that a message must bear."""
    thread: str | None = None
    """The one thread that a message must belong to."""
    keep: Callable[[Stored], bool] | None = None
    """A last look at each message, for what SQL cannot say."""


def page_of_messages(
    store: Store, box: Mailbox, selection: Selection, size: int, token: str
) -> tuple[list[Stored], str]:
    """List at most `size` messages after `token`; returns them and the next token, "" at the end.

    A page is shorter, and not the last, when too many messages had to be looked at for it.
    """
    after = read_page_token(token) if token else _NEWEST
    found: list[Stored] = []
    last = after
    for seen, row in enumerate(_select(store, box, selection, after)):
        if seen == SEARCHED:
            return found, page_token(*last)
        message = stored(row)
        if selection.keep is None or selection.keep(message):
            if len(found) == size:
                return found, page_token(*last)
            found.append(message)
        last = message.date, message.row
    return found, ""


def page_of_thread(
    store: Store, box: Mailbox, thread: str, size: int, token: str
) -> tuple[list[Stored], str]:
    """List at most `size` messages of a thread after `token`, oldest first, and the next token."""
    after = read_page_token(token) if token else (-1, -1)
    rows = store.db.execute(
        "SELECT * FROM messages INDEXED BY messages_by_thread WHERE mailbox = ? AND thread = ?"
        " AND (date, row) > (?, ?) ORDER BY date, row LIMIT ?",
        (box.row, thread, *after, size + 1),
    )
    found = [stored(row) for row in rows]
    last = found[size - 1] if len(found) > size else None
    return found[:size], page_token(last.date, last.row) if last else ""


def _select(
    store: Store, box: Mailbox, selection: Selection, after: tuple[int, int]
) -> Iterator[sqlite3.Row]:
    """Walk the index of the rarest label, or of the mailbox, from the key on.

    Few messages share a Message-ID or a thread: there its index is walked, and the plus signs keep
    SQLite from choosing the order's.
    """
    source, key = "messages m", "m.date, m.row"
    tests = ["m.mailbox = ?"]
    values: list[object] = [box.row]
    named = {label.id: label for label in selection.labels}
    labels = sorted(named.values(), key=lambda label: label.total)
    if selection.thread is not None:
        source = "messages m INDEXED BY messages_by_thread"
        tests.append("m.thread = ?")
        values.append(selection.thread)
    elif selection.message_id is not None:
        key = "+m.date, +m.row"
    elif labels:
        source = "message_labels l CROSS JOIN messages m ON m.row = l.message"
        key = "l.date, l.message"
        tests, values = ["l.mailbox = ?", "l.label = ?"], [box.row, labels.pop(0).id]
    if selection.message_id is not None:
        tests.append("m.message_id = ?")
        values.append(selection.message_id)
    if labels:
        marks = ", ".join("?" * len(labels))
        carried = f"SELECT count(*) FROM message_labels x WHERE x.message = m.row AND x.label IN ({marks})"  # noqa: S608
        tests.append(f"({carried}) = {len(labels)}")
        values += [label.id for label in labels]
    if not selection.hidden and HIDING.isdisjoint(label.id for label in selection.labels):
        tests.append("m.hidden = 0")
    if selection.where:
        tests.append(selection.where)
    order = key.replace(",", " DESC,") + " DESC"
    sql = f"SELECT m.* FROM {source} WHERE {' AND '.join(tests)} AND ({key}) < (?, ?) ORDER BY {order}"  # noqa: S608
    return store.db.execute(sql, (*values, *selection.values, *after))


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Records after a history id, in the API's shape."""

    records: list[dict[str, object]]
    next_token: str
    history: int
    """The mailbox's newest history id."""


def page_of_history(
    store: Store, box: Mailbox, start: str, token: str, size: int, wanted: Callable[[str, object], bool]
) -> HistoryPage:
    """List records after `start` whose keys are `wanted`. Raises ApiError 404 for an expired start."""
    first = _start(store, box, start)
    after = max(first, read_page_token(token)[0]) if token else first
    rows = store.db.execute(
        "SELECT id, record FROM history WHERE mailbox = ? AND id > ? ORDER BY id", (box.row, after)
    )
    records: list[dict[str, object]] = []
    last = after
    for row in rows:
        record = _filtered(json.loads(row["record"]), wanted)
        if record and len(records) == size:
            return HistoryPage(records, page_token(last, 0), box.history)
        if record:
            records.append(record)
        last = row["id"]
    return HistoryPage(records, "", box.history)


def _start(store: Store, box: Mailbox, start: str) -> int:
    """Read a start id: "invalid or out of date typically gives a 404" (Zoom's text)."""
    if not (start.isascii() and start.isdigit() and len(start) < 19):
        raise not_found("startHistoryId")
    first = int(start)
    if not max(box.floor, _horizon(store, box)) <= first <= box.history:
        raise not_found("startHistoryId")
    return first


def _horizon(store: Store, box: Mailbox) -> int:
    if not store.history_horizon:
        return 0
    row = store.db.execute(
        "SELECT id FROM history WHERE mailbox = ? ORDER BY id DESC LIMIT 1 OFFSET ?",
        (box.row, store.history_horizon),
    ).fetchone()
    return int(row["id"]) if row else 0


def _filtered(record: dict[str, object], wanted: Callable[[str, object], bool]) -> dict[str, object]:
    kept = {key: value for key, value in record.items() if key != "id" and wanted(key, value)}
    return {"id": record["id"], **kept} if kept else {}
