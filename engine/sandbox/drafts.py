"""The operations on drafts. A draft has the id of its message, as in Zoom's examples."""

from __future__ import annotations

from engine.sandbox.call import Call, decoded
from engine.sandbox.failure import invalid, not_found
from engine.sandbox.labels import require_labels
from engine.sandbox.listing import page_of_messages
from engine.sandbox.mailbox import Stored, add_message, delete_message, find_message, labels_of
from engine.sandbox.messages import FORMATS, paged
from engine.sandbox.representation import Json, brief, full, reference
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
    content = call.body.get("message", {})
    if not isinstance(content, dict):
        raise invalid("message", "message is an object.")
    raw = decoded(content.get("raw", ""))
    message = add_message(call.store, call.box, raw, {"DRAFT"})
    return {"id": message.id, "message": brief(call.store, message)}


def get_draft_email(call: Call) -> Json:
    draft = _draft(call)
    shown = full(call.store, draft, call.choice("format", FORMATS, "full"))
    return {"id": draft.id, "message": {key: shown[key] for key in METADATA if key in shown}}


def delete_draft_email(call: Call) -> None:
    delete_message(call.store, call.box, _draft(call))


def _draft(call: Call) -> Stored:
    message = find_message(call.store, call.box, call.path["draftId"])
    if message is None or "DRAFT" not in labels_of(call.store, message):
        raise not_found("The draft")
    return message
