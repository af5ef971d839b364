"""The operations on messages."""

from __future__ import annotations

from engine.sandbox.call import Call, decoded
from engine.sandbox.failure import ApiError, invalid
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
from engine.sandbox.representation import Json, attachment, brief, full, paged, reference
from engine.sandbox.search import selection_of
from engine.sandbox.sending import submit

FORMATS = frozenset({"full", "minimal", "metadata", "raw"})
LARGEST_BATCH = 1000
TRASHING = ["TRASH"], ["INBOX", "SPAM"]
UNTRASHING: tuple[list[str], list[str]] = [], ["TRASH"]
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
    """One part's content; that of another message is forbidden (presumed: the file declares 403)."""
    message = _message(call)
    owner = call.path["attachmentId"].rpartition("_")[0]
    if owner != message.id and find_message(call.store, call.box, owner):
        raise ApiError(403, "The attachment belongs to another message.")
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
    labels = call.strings("labelIds")
    reject_fixed(labels, FIXED | HIDING, "labelIds")
    require_labels(call.store, call.box, labels, "labelIds")
    return send_raw(call, decoded(call.body.get("raw")), labels, _send_time(call))


def send_raw(call: Call, raw: bytes, labels: list[str], planned: int = 0) -> Json:
    """Send at a planned time (epoch ms), or after the undo window; answers the SCHEDULED copy."""
    due = planned or call.store.now() + int(call.sandbox.config.undo_window * 1000)
    message = submit(call.store, call.box, raw, labels, due=due, user_scheduled=bool(planned))
    answer = brief(call.store, message)
    call.sandbox.send_at(call.box.address, message.id, due)
    return answer


def update_email(call: Call) -> Json:
    add, remove = label_change(call)
    return _relabelled(call, add, remove)


def batch_modify_emails(call: Call) -> None:
    """Change all or none: "the specified messages are all modified" (Zoom's text)."""
    add, remove = label_change(call)
    for message in _batch(call):
        relabel(call, message, add, remove)


def batch_delete_emails(call: Call) -> None:
    """Delete all or none: "the specified messages are all deleted" (Zoom's text)."""
    for message in _batch(call):
        delete_message(call.store, call.box, message)


def trash_email(call: Call) -> Json:
    return _relabelled(call, *TRASHING)


def untrash_email(call: Call) -> Json:
    """Take a message out of TRASH; it is not put back into the INBOX (presumed, as Gmail does)."""
    return _relabelled(call, *UNTRASHING)


def delete_email(call: Call) -> None:
    delete_message(call.store, call.box, _message(call))


def relabel(call: Call, message: Stored, add: list[str], remove: list[str]) -> None:
    """Change a message's labels; what leaves the TRASH while it is SCHEDULED is sent after all."""
    change_labels(call.store, call.box, message, add, remove)
    if "TRASH" in remove and message.send_time is not None:
        call.sandbox.send_at(call.box.address, message.id, message.send_time)


def _relabelled(call: Call, add: list[str], remove: list[str]) -> Json:
    message = _message(call)
    relabel(call, message, add, remove)
    return brief(call.store, message)


def _batch(call: Call) -> list[Stored]:
    """The messages of a batch. Raises ApiError 400 for one that is not there."""
    ids = call.strings("ids")
    if not 1 <= len(call.body.get("ids") or ()) <= LARGEST_BATCH:
        raise invalid("ids", f"ids holds 1 to {LARGEST_BATCH} message ids.")
    found = []
    for id_ in ids:
        message = find_message(call.store, call.box, id_)
        if message is None:
            raise invalid("ids", f"Message {id_[:100]} does not exist.")
        found.append(message)
    return found


def _message(call: Call) -> Stored:
    return require_message(call.store, call.box, call.path["messageId"])


def label_change(call: Call) -> tuple[list[str], list[str]]:
    """Read which labels are to be added and removed. Raises ApiError 400."""
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
