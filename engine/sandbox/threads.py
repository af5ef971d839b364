"""The operations on threads. What is done to a thread is done to each of its messages, as single calls do it.

A thread is listed when one of its messages answers the whole query (presumed, as Gmail does), at the place
of the newest one that does. A page token keeps who had arrived when the first page was read, so that mail
that comes between pages neither hides nor repeats a thread.
"""

from __future__ import annotations

import re
import sqlite3
from dataclasses import replace

from engine.mail.headers import parse_headers
from engine.sandbox.call import Call
from engine.sandbox.failure import not_found
from engine.sandbox.ids import page_token, read_page_token
from engine.sandbox.labels import require_labels
from engine.sandbox.listing import Selection, page_of_messages, page_of_thread
from engine.sandbox.mailbox import Stored, delete_message, newest_row, raw_of, storable, stored
from engine.sandbox.messages import TRASHING, UNTRASHING, label_change, relabel
from engine.sandbox.representation import Json, brief, full, paged
from engine.sandbox.search import selection_of

FORMATS = frozenset({"full", "minimal", "metadata"})
_ANSWER = re.compile(r"(?:(?:re|fwd?|aw|wg)\s*:\s*)+", re.IGNORECASE)


def list_email_threads(call: Call) -> Json:
    labels = require_labels(call.store, call.box, call.several("labelIds"), "labelIds")
    selection = selection_of(call, labels, call.flag("includeSpamTrash"))
    limit, after = _position(call)
    found, more = page_of_messages(
        call.store, call.box, _newest_of_threads(call, selection, limit), call.page_size(), after
    )
    shown = [_shown(call, _thread(call, message.thread)) | {"snippet": message.snippet} for message in found]
    return paged("threads", shown, f"{page_token(0, limit)}.{more}" if more else "")


def get_email_thread(call: Call) -> Json:
    """A thread with its messages, oldest first."""
    thread = _thread(call, call.path["threadId"])
    shape, wanted = call.choice("format", FORMATS, "full"), call.several("metadataHeaders")
    found, more = page_of_thread(call.store, call.box, thread["id"], call.page_size(), call.page_token())
    answer = _shown(call, thread) | {
        "messages": [full(call.store, message, shape, wanted) for message in found]
    }
    return answer | {"nextPageToken": more} if more else answer


def update_email_thread(call: Call) -> Json:
    return _relabelled(call, *label_change(call))


def trash_email_thread(call: Call) -> Json:
    return _relabelled(call, *TRASHING)


def untrash_email_thread(call: Call) -> Json:
    return _relabelled(call, *UNTRASHING)


def delete_email_thread(call: Call) -> None:
    for message in _messages(call):
        delete_message(call.store, call.box, message)


def _relabelled(call: Call, add: list[str], remove: list[str]) -> Json:
    found = _messages(call)
    for message in found:
        relabel(call, message, add, remove)
    return {"id": call.path["threadId"], "messages": [brief(call.store, message) for message in found]}


def _position(call: Call) -> tuple[int, str]:
    """The newest message that the listing knows of, and the token within it."""
    token = call.page_token()
    if not token:
        return newest_row(call.store), ""
    limit, _, after = token.partition(".")
    return read_page_token(limit)[1], after


def _newest_of_threads(call: Call, selection: Selection, limit: int) -> Selection:
    """Narrow a selection to the newest message that it has of each thread."""
    known = f"m.row <= {limit}"
    selection = replace(selection, where=f"({selection.where}) AND {known}" if selection.where else known)
    newest: dict[str, int] = {}

    def keep(message: Stored) -> bool:
        if message.thread not in newest:
            alone = replace(selection, thread=message.thread)
            first, _ = page_of_messages(call.store, call.box, alone, 1, "")
            # None is found when too many newer ones had to be looked at.
            newest[message.thread] = (first or [message])[0].row
        return newest[message.thread] == message.row

    kept = selection.keep
    return replace(selection, keep=lambda one: (kept is None or kept(one)) and keep(one))


def _messages(call: Call) -> list[Stored]:
    _thread(call, call.path["threadId"])
    rows = call.store.db.execute(
        "SELECT * FROM messages WHERE mailbox = ? AND thread = ? ORDER BY date, row",
        (call.box.row, call.path["threadId"]),
    )
    return [stored(row) for row in rows]


def _thread(call: Call, id_: str) -> sqlite3.Row:
    """The row of a thread. Raises ApiError 404."""
    found: sqlite3.Row | None = call.store.db.execute(
        "SELECT * FROM threads WHERE mailbox = ? AND id = ?", (call.box.row, id_)
    ).fetchone()
    if found is None:
        raise not_found("The thread")
    return found


def _shown(call: Call, thread: sqlite3.Row) -> Json:
    return {
        "id": thread["id"],
        "historyId": str(thread["history"]),
        "threadName": _name(call, thread["id"]),
        "status": thread["status"],
    }


def _name(call: Call, id_: str) -> str:
    """The subject of the oldest message, less the marks of an answer (presumed)."""
    oldest, _ = page_of_thread(call.store, call.box, id_, 1, "")
    subject = parse_headers(raw_of(call.store, oldest[0])).text("Subject")
    return storable(_ANSWER.sub("", subject.strip(), count=1))
