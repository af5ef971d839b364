"""The operations on messages."""

from __future__ import annotations

from engine.sandbox.call import Call, decoded
from engine.sandbox.failure import invalid
from engine.sandbox.labels import FIXED, HIDING, require_labels
from engine.sandbox.listing import page_of_messages
from engine.sandbox.mailbox import (
    Stored,
    add_message,
    change_labels,
    delete_message,
    find_message,
    raw_of,
    reject_fixed,
    require_message,
)
from engine.sandbox.representation import Json, attachment, brief, full, reference
from engine.sandbox.search import selection_of
from engine.sandbox.sending import submit

FORMATS = frozenset({"full", "minimal", "metadata", "raw"})
LARGEST_BATCH = 1000
_FARTHEST = 10**11
"""Epoch seconds beyond which no sendTime lies."""


def list_emails(call: Call) -> Json:
    labels = require_labels(call.store, call.box, call.several("labelIds"), "labelIds")
    selection = selection_of(call, labels, call.flag("includeSpamTrash"))
    found, more = page_of_messages(call.store, call.box, selection, call.page_size(), call.page_token())
    return paged("messages", [reference(message) for message in found], more)


def get_email(call: Call) -> Json:
    shape = call.choice("format", FORMATS, "full")
    return full(call.store, _message(call), shape, call.several("metadataHeaders"))


def get_email_attachment(call: Call) -> Json:
    message = _message(call)
    return attachment(raw_of(call.store, message), message.id, call.path["attachmentId"])


def create_email(call: Call) -> Json:
    """Insert a message without sending it; a deleted one lies in TRASH alone of the places."""
    raw = decoded(call.body.get("raw"))
    labels = {
        label.id for label in require_labels(call.store, call.box, call.strings("labelIds"), "labelIds")
    }
    if call.flag("deleted"):
        labels = (labels - {"INBOX", "SPAM"}) | {"TRASH"}
    kind = "messagesImportedNew" if "INBOX" in labels else "messagesImported"
    return brief(call.store, add_message(call.store, call.box, raw, labels, kind=kind))


def send_email(call: Call) -> Json:
    raw = decoded(call.body.get("raw"))
    labels = call.strings("labelIds")
    reject_fixed(labels, FIXED | HIDING, "labelIds")
    require_labels(call.store, call.box, labels, "labelIds")
    planned = _send_time(call)
    due = planned or call.store.now() + int(call.sandbox.config.undo_window * 1000)
    message = submit(call.store, call.box, raw, labels, due=due, user_scheduled=bool(planned))
    answer = brief(call.store, message)
    call.sandbox.send_at(call.box.address, message.id, due)
    return answer


def update_email(call: Call) -> Json:
    add, remove = _label_change(call)
    message = _message(call)
    change_labels(call.store, call.box, message, add, remove)
    return brief(call.store, message)


def batch_modify_emails(call: Call) -> None:
    """Change all or none: "the specified messages are all modified" (Zoom's text)."""
    add, remove = _label_change(call)
    ids = call.strings("ids")
    if not 1 <= len(call.body.get("ids") or ()) <= LARGEST_BATCH:
        raise invalid("ids", f"ids holds 1 to {LARGEST_BATCH} message ids.")
    for id_ in ids:
        message = find_message(call.store, call.box, id_)
        if message is None:
            raise invalid("ids", f"Message {id_[:100]} does not exist.")
        change_labels(call.store, call.box, message, add, remove)


def trash_email(call: Call) -> Json:
    message = _message(call)
    change_labels(call.store, call.box, message, {"TRASH"}, {"INBOX", "SPAM"})
    return brief(call.store, message)


def untrash_email(call: Call) -> Json:
    """Take a message out of TRASH; it is not put back into the INBOX (presumed, as Gmail does)."""
    message = _message(call)
    change_labels(call.store, call.box, message, (), {"TRASH"})
    return brief(call.store, message)


def delete_email(call: Call) -> None:
    delete_message(call.store, call.box, _message(call))


def paged(name: str, entries: list[Json], more: str) -> Json:
    """A list's answer."""
    answer: Json = {name: entries, "resultSizeEstimate": len(entries)}
    return answer | {"nextPageToken": more} if more else answer


def _message(call: Call) -> Stored:
    return require_message(call.store, call.box, call.path["messageId"])


def _label_change(call: Call) -> tuple[list[str], list[str]]:
    add, remove = call.strings("addLabelIds"), call.strings("removeLabelIds")
    if not add and not remove:
        raise invalid("addLabelIds", "Name at least one label to add or to remove.")
    if set(add) & set(remove):
        raise invalid("addLabelIds", "A label is added or removed, not both.")
    for where, ids in (("addLabelIds", add), ("removeLabelIds", remove)):
        reject_fixed(ids, FIXED, where)
        require_labels(call.store, call.box, ids, where)
    return add, remove


def _send_time(call: Call) -> int:
    """`sendTime` in epoch milliseconds, 0 when absent; the API takes epoch seconds."""
    value = call.text("sendTime", "")
    if not value:
        return 0
    if not (value.isascii() and value.isdigit() and len(value) < 12 and int(value) < _FARTHEST):
        raise invalid("sendTime", "sendTime is a string of epoch seconds.")
    return int(value) * 1000
