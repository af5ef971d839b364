"""The operations on drafts. A draft has the id of its message, as in Zoom's examples."""

from __future__ import annotations

from engine.sandbox.call import Call, decoded
from engine.sandbox.failure import not_found
from engine.sandbox.labels import FIXED, HIDING, require_labels
from engine.sandbox.listing import page_of_messages
from engine.sandbox.mailbox import (
    Stored,
    add_message,
    delete_message,
    find_message,
    labels_of,
    raw_of,
    rewrite_message,
)
from engine.sandbox.messages import FORMATS, send_raw
from engine.sandbox.representation import Json, brief, full, paged, reference
from engine.sandbox.search import selection_of

METADATA = (
    "id",
    "threadId",
    "labelIds",
    "snippet",
    "historyId",
    "internalDate",
    "payload",
    "sizeEstimate",
    "raw",
)
"""What a draft shows of its message."""


def list_draft_emails(call: Call) -> Json:
    labels = require_labels(call.store, call.box, ["DRAFT"], "labelIds")
    selection = selection_of(call, labels, call.flag("includeSpamTrash"))
    found, more = page_of_messages(call.store, call.box, selection, call.page_size(), call.page_token())
    return paged("drafts", [{"id": message.id, "message": reference(message)} for message in found], more)


def create_draft_email(call: Call) -> Json:
    """Leave a draft; without a message an empty one (Zoom's text)."""
    raw = _content(call) if "message" in call.body else b""
    return _shown(call, add_message(call.store, call.box, raw, {"DRAFT"}))


def update_draft_email(call: Call) -> Json:
    return _shown(call, rewrite_message(call.store, call.box, _draft(call), _content(call)))


def send_draft_email(call: Call) -> Json:
    """Send a draft, as its last `message` has it: the draft goes, and a SCHEDULED copy is made."""
    draft = _find(call, call.text("id"))
    raw = _content(call) if "message" in call.body else raw_of(call.store, draft)
    labels = sorted(labels_of(call.store, draft) - FIXED - HIDING)
    delete_message(call.store, call.box, draft)
    return send_raw(call, raw, labels)


def get_draft_email(call: Call) -> Json:
    draft = _draft(call)
    shown = full(call.store, draft, call.choice("format", FORMATS, "full"))
    return {"id": draft.id, "message": {key: shown[key] for key in METADATA if key in shown}}


def delete_draft_email(call: Call) -> None:
    delete_message(call.store, call.box, _draft(call))


def _draft(call: Call) -> Stored:
    return _find(call, call.path["draftId"])


def _find(call: Call, id_: str) -> Stored:
    """A draft that is there. Raises ApiError 404."""
    message = find_message(call.store, call.box, id_)
    if message is None or "DRAFT" not in labels_of(call.store, message):
        raise not_found("The draft")
    return message


def _content(call: Call) -> bytes:
    return decoded(call.within("message").body.get("raw", ""))


def _shown(call: Call, draft: Stored) -> Json:
    return {"id": draft.id, "message": brief(call.store, draft)}
