"""The sandbox's own endpoints, for tests and rehearsals. They ask for no credentials."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from engine.errors import PostroomError
from engine.sandbox.asked import named_mailbox
from engine.sandbox.call import read_body
from engine.sandbox.delivery import deliver as deliver_mail
from engine.sandbox.disturbing import (
    expire_all_history,
    faults,
    faults_shown,
    grant,
    lag,
    revoke_all_tokens,
    subscribe,
    validate,
    webhook,
    webhooks,
)
from engine.sandbox.failure import invalid, not_found
from engine.sandbox.labels import every_label, label_at, path_of
from engine.sandbox.letters import outbox
from engine.sandbox.loading import load_mail
from engine.sandbox.mailbox import add_mailbox, add_message
from engine.sandbox.representation import Json, encoded
from engine.sandbox.state import Sandbox

STATUSES = frozenset(
    ["active", "readOnly", "inactive", "deactivated", "suspended", "softDeleted", "purging", "preProvision"]
)
IMPORTS = {"": "messagesAdded", "0": "messagesAdded", "1": "messagesImported", "new": "messagesImportedNew"}

Control = Callable[[Sandbox, Request], Awaitable[Json]]


def control_routes(sandbox: Sandbox) -> list[Route]:
    """Every control endpoint."""
    return [
        Route(f"/{name}", _endpoint(sandbox, control), methods=[method])
        for (method, name), control in CONTROLS.items()
    ]


async def deliver(sandbox: Sandbox, request: Request) -> Json:
    """Deliver the raw message in the body: ?mailbox=A[&labels=INBOX,UNREAD][&imported=1 or new]."""
    raw = await request.body()
    kind = IMPORTS.get(request.query_params.get("imported", ""))
    if kind is None:
        raise invalid("imported", "imported is 0, 1 or new.")
    names = request.query_params.get("labels", "INBOX,UNREAD")
    with sandbox.store.transaction():
        box = named_mailbox(sandbox, request.query_params.get("mailbox"))
        labels = {label_at(sandbox.store, box, name) for name in names.split(",") if name}
        if kind == "messagesAdded":
            message = deliver_mail(sandbox.store, box, raw, labels)
        else:
            message = add_message(sandbox.store, box, raw, labels, kind=kind)
    return {"id": message.id, "threadId": message.thread, "historyId": str(message.history)}


async def load(sandbox: Sandbox, request: Request) -> Json:
    """Deliver an archive: {"mailbox", "path"[, "imported": true]} -> {"loaded", "errors"}."""
    body = await read_body(request)
    box = named_mailbox(sandbox, body.get("mailbox"))
    try:
        loaded = await load_mail(
            sandbox.store, box, str(body.get("path")), imported=body.get("imported") is True
        )
    except PostroomError as error:
        raise invalid("path", str(error)) from error
    return {"loaded": loaded.messages, "errors": list(loaded.errors)}


async def sent(sandbox: Sandbox, _request: Request) -> Json:
    """What left the sandbox, oldest first; `at` in epoch milliseconds."""
    return {
        "messages": [
            {
                "mailbox": row["mailbox"],
                "id": row["id"],
                "from": row["sender"],
                "to": json.loads(row["recipients"]),
                "messageId": row["message_id"],
                "raw": encoded(row["raw"]),
                "at": row["at"],
            }
            for row in outbox(sandbox.store)
        ]
    }


async def state(sandbox: Sandbox, request: Request) -> Json:
    """Every message of ?mailbox=A, oldest first, with the full names of its labels."""
    box = named_mailbox(sandbox, request.query_params.get("mailbox"))
    labels = every_label(sandbox.store, box)
    names = {id_: path_of(labels, id_) for id_ in labels}
    rows = sandbox.store.db.execute(
        "SELECT m.id, m.thread, m.message_id,"
        " (SELECT json_group_array(label) FROM message_labels l WHERE l.message = m.row) AS labels"
        " FROM messages m WHERE m.mailbox = ? ORDER BY m.row",
        (box.row,),
    )
    return {
        "messages": [
            {
                "id": row["id"],
                "threadId": row["thread"],
                "labels": sorted(names[id_] for id_ in json.loads(row["labels"])),
                "messageId": f"<{row['message_id']}>" if row["message_id"] else "",
            }
            for row in rows
        ]
    }


async def calls(sandbox: Sandbox, _request: Request) -> Json:
    """How often each operation and each rate class was called, and how many calls the limits refused."""
    return {"operations": sandbox.calls, "rates": sandbox.rates, "limited": sandbox.limited}


async def threads(sandbox: Sandbox, request: Request) -> Json:
    """Mute or unmute a thread, as people do in the client: {"mailbox", "thread", "status"}."""
    body = await read_body(request)
    if body.get("status") not in ("normal", "ignored"):
        raise invalid("status", "status is normal or ignored.")
    box = named_mailbox(sandbox, body.get("mailbox"))
    changed = sandbox.store.db.execute(
        "UPDATE threads SET status = ? WHERE mailbox = ? AND id = ?",
        (body["status"], box.row, str(body.get("thread"))),
    )
    if not changed.rowcount:
        raise not_found("The thread")
    return {}


async def reset(sandbox: Sandbox, _request: Request) -> Json:
    sandbox.reset()
    return {}


async def mailboxes(sandbox: Sandbox, request: Request) -> Json:
    """Host {"mailbox"[, "aliases", "groupEmails", "status"]}, or change its profile."""
    body = await read_body(request)
    address = body.get("mailbox")
    if not isinstance(address, str) or "@" not in address:
        raise invalid("mailbox", "mailbox is an address.")
    if body.get("status", "active") not in STATUSES:
        raise invalid("status", f"status is one of {', '.join(sorted(STATUSES))}.")
    with sandbox.store.transaction():
        box = add_mailbox(
            sandbox.store,
            address,
            _addresses(body, "aliases"),
            _addresses(body, "groupEmails"),
            body.get("status", "active"),
        )
    return {"mailbox": box.address, "historyId": str(box.history)}


def _endpoint(sandbox: Sandbox, control: Control) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        return JSONResponse(await control(sandbox, request))

    return endpoint


def _addresses(body: dict[str, Any], name: str) -> list[str]:
    value = body.get(name, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise invalid(name, f"{name} is a list of addresses.")
    return value


CONTROLS: dict[tuple[str, str], Control] = {
    ("POST", "deliver"): deliver,
    ("POST", "load"): load,
    ("POST", "mailboxes"): mailboxes,
    ("POST", "threads"): threads,
    ("GET", "state"): state,
    ("GET", "outbox"): sent,
    ("GET", "calls"): calls,
    ("POST", "reset"): reset,
    ("POST", "faults"): faults,
    ("GET", "faults"): faults_shown,
    ("POST", "lag"): lag,
    ("POST", "expire-history"): expire_all_history,
    ("POST", "grant"): grant,
    ("POST", "revoke-tokens"): revoke_all_tokens,
    ("POST", "subscribe"): subscribe,
    ("POST", "validate"): validate,
    ("GET", "webhook"): webhook,
    ("POST", "webhooks"): webhooks,
}
"""By method and name below /_sandbox."""
