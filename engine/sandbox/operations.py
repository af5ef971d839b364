"""The operations of the OpenAPI file, and the functions that answer them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from engine.sandbox import drafts, mailboxes, messages
from engine.sandbox.call import Call
from engine.sandbox.representation import Json

Answer = Callable[[Call], Json | None]
"""Answers a call with JSON, or None for 204. It never awaits: each call is one transaction."""

ANSWERS: dict[str, Answer] = {
    answer.__name__: answer
    for answer in (
        mailboxes.get_mailbox_profile,
        mailboxes.list_mailbox_history,
        mailboxes.list_labels_in_mailbox,
        mailboxes.get_label_in_mailbox,
        mailboxes.create_label_in_mailbox,
        messages.list_emails,
        messages.create_email,
        messages.get_email,
        messages.get_email_attachment,
        messages.send_email,
        messages.update_email,
        messages.batch_modify_emails,
        messages.trash_email,
        messages.untrash_email,
        messages.delete_email,
        drafts.list_draft_emails,
        drafts.create_draft_email,
        drafts.get_draft_email,
        drafts.delete_draft_email,
    )
}
"""By operationId: a function bears the id of the operation that it answers."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the OpenAPI file."""

    id: str
    method: str
    path: str
    rate_class: str
    """LIGHT, MEDIUM or HEAVY."""


def openapi_text() -> str:
    """The OpenAPI file that the sandbox is held to."""
    return (files("engine.sandbox") / "zoom-mail.openapi.json").read_text("utf-8")


@cache
def operations() -> tuple[Operation, ...]:
    """All operations, fixed paths before those with parameters."""
    paths = json.loads(openapi_text())["paths"]
    return tuple(
        Operation(operation["operationId"], method.upper(), path, operation["x-rate-limit-label"])
        for path in sorted(paths)
        for method, operation in paths[path].items()
    )
