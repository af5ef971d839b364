"""Which thread a message belongs to: RFC 5322 section 3.6.4, by References and In-Reply-To."""

from __future__ import annotations

import re

from engine.mail.headers import Headers
from engine.sandbox.store import Mailbox, Store

_ID = re.compile(r"<([^<>\s]{1,998})>")
_MOST = 50
"""References read of one message; the first and the nearest ones matter."""


def thread_of(store: Store, box: Mailbox, headers: Headers, id_: str) -> str:
    """Find the thread of a new message, or start one named by its own id.

    The ids it names are remembered for the thread, so that two answers to a message that never
    came, or came later, still meet.
    """
    keys = thread_keys(headers)
    thread = next((found for key in keys if (found := _known(store, box, key))), id_)
    remember(store, box, headers, thread)
    return thread


def remember(store: Store, box: Mailbox, headers: Headers, thread: str) -> None:
    """Let what names the same ids find this thread, unless an older one has them."""
    store.db.executemany(
        "INSERT OR IGNORE INTO thread_keys VALUES (?, ?, ?)",
        [(box.row, key, thread) for key in thread_keys(headers)],
    )


def thread_keys(headers: Headers) -> list[str]:
    """Message ids that a message has to do with, the nearest first."""
    replied, references, own = (_ids(headers, name) for name in ("In-Reply-To", "References", "Message-ID"))
    return list(dict.fromkeys([*replied, *reversed(references), *own]))


def _ids(headers: Headers, name: str) -> list[str]:
    found = _ID.findall(" ".join(headers.all(name)))
    kept = found if len(found) <= _MOST else [found[0], *found[1 - _MOST :]]
    return [key.encode("utf-8", "replace").decode() for key in kept]


def _known(store: Store, box: Mailbox, key: str) -> str:
    row = store.db.execute(
        "SELECT thread FROM thread_keys WHERE mailbox = ? AND key = ?", (box.row, key)
    ).fetchone()
    return row["thread"] if row else ""
