"""How many messages and threads carry each label: kept at every change, so that telling costs nothing."""

from __future__ import annotations

from collections.abc import Collection

from engine.sandbox.store import Mailbox, Store

UNREAD = "UNREAD"


def count(store: Store, box: Mailbox, thread: str, before: Collection[str], after: Collection[str]) -> None:
    """Count one message of a thread whose labels change; a new or a gone one has none before or after."""
    changes = [
        (box.row, label, thread, *_change(label, before, after)) for label in sorted({*before, *after})
    ]
    store.db.executemany(
        "INSERT INTO label_threads VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE"
        " SET messages = messages + excluded.messages, unread = unread + excluded.unread",
        [change for change in changes if any(change[3:])],
    )
    store.db.executemany(
        "DELETE FROM label_threads WHERE mailbox = ? AND label = ? AND thread = ? AND messages = 0",
        [change[:3] for change in changes if change[3] < 0],
    )


def _change(label: str, before: Collection[str], after: Collection[str]) -> tuple[int, int]:
    """By how much the label's messages and its unread messages change."""
    total = (label in after) - (label in before)
    unread = (label in after and UNREAD in after) - (label in before and UNREAD in before)
    return total, unread
