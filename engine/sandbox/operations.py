"""The operations of the OpenAPI file, and the functions that answer them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from engine.sandbox import delegates, drafts, filters, labelling, mailboxes, messages, threads, vacation
from engine.sandbox.call import Call
from engine.sandbox.representation import Json

Answer = Callable[[Call], Json | None]
"""Answers a call with JSON, or None for 204. It never awaits: each call is one transaction."""

ANSWERS: dict[str, Answer] = {
    answer.__name__: answer
    for answer in (
        mailboxes.get_mailbox_profile,
        mailboxes.list_mailbox_history,
        labelling.list_labels_in_mailbox,
        labelling.create_label_in_mailbox,
        labelling.get_label_in_mailbox,
        labelling.update_label_in_mailbox,
        labelling.patch_label_in_mailbox,
        labelling.delete_label_from_mailbox,
        messages.list_emails,
        messages.create_email,
        messages.get_email,
        messages.get_email_attachment,
        messages.send_email,
        messages.update_email,
        messages.batch_modify_emails,
        messages.batch_delete_emails,
        messages.trash_email,
        messages.untrash_email,
        messages.delete_email,
        threads.list_email_threads,
        threads.get_email_thread,
        threads.update_email_thread,
        threads.trash_email_thread,
        threads.untrash_email_thread,
        threads.delete_email_thread,
        drafts.list_draft_emails,
        drafts.create_draft_email,
        drafts.get_draft_email,
        drafts.update_draft_email,
        drafts.send_draft_email,
        drafts.delete_draft_email,
        filters.list_email_filters,
        filters.create_email_filter,
        filters.get_email_filter,
        filters.delete_email_filter,
        delegates.list_mailbox_delegates,
        delegates.grant_mailbox_delegate,
        delegates.get_mailbox_delegate,
        delegates.revoke_mailbox_delegate,
        vacation.get_mail_vacation_response_setting,
        vacation.update_mailbox_vacation_response_setting,
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
