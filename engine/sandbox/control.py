"""The sandbox's own endpoints, for tests and rehearsals. They ask for no credentials."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from engine.errors import PostroomError
from engine.sandbox.call import read_body
from engine.sandbox.failure import invalid, not_found
from engine.sandbox.faults import read_faults
from engine.sandbox.labels import every_label, label_at, path_of
from engine.sandbox.loading import load_mail
from engine.sandbox.mailbox import add_mailbox, add_message, expire_history
from engine.sandbox.representation import Json, encoded
from engine.sandbox.sending import outbox
from engine.sandbox.state import Sandbox
from engine.sandbox.store import Mailbox
from engine.sandbox.tokens import end_tokens, issue_code, issue_refresh_token, revoke_tokens

STATUSES = frozenset(
    ["active", "readOnly", "inactive", "deactivated", "suspended", "softDeleted", "purging", "preProvision"]
)
IMPORTS = {"": "messagesAdded", "0": "messagesAdded", "1": "messagesImported", "new": "messagesImportedNew"}

Control = Callable[[Sandbox, Request], Awaitable[Json]]


def control_routes(sandbox: Sandbox) -> list[Route]:
    """Every control endpoint, under the name of its function."""
    return [
        *(_route(sandbox, "GET", control) for control in (outbox_, state, calls, webhook)),
        *(
            _route(sandbox, "POST", control)
            for control in (
                deliver, load, faults, reset, expire_history_, mailboxes, grant, revoke_tokens_,
                subscribe, validate,
            )
        ),
    ]  # fmt: skip


async def deliver(sandbox: Sandbox, request: Request) -> Json:
    """Deliver the raw message in the body: ?mailbox=A[&labels=INBOX,UNREAD][&imported=1 or new]."""
    raw = await request.body()
    kind = IMPORTS.get(request.query_params.get("imported", ""))
    if kind is None:
        raise invalid("imported", "imported is 0, 1 or new.")
    names = request.query_params.get("labels", "INBOX,UNREAD")
    with sandbox.store.transaction():
        box = _mailbox(sandbox, request.query_params.get("mailbox"))
        labels = {label_at(sandbox.store, box, name) for name in names.split(",") if name}
        message = add_message(sandbox.store, box, raw, labels, kind=kind)
    return {"id": message.id, "threadId": message.thread, "historyId": str(message.history)}


async def load(sandbox: Sandbox, request: Request) -> Json:
    """Deliver an archive: {"mailbox", "path"[, "imported": true]} -> {"loaded", "errors"}."""
    body = await read_body(request)
    box = _mailbox(sandbox, body.get("mailbox"))
    try:
        loaded = await load_mail(
            sandbox.store, box, str(body.get("path")), imported=body.get("imported") is True
        )
    except PostroomError as error:
        raise invalid("path", str(error)) from error
    return {"loaded": loaded.messages, "errors": list(loaded.errors)}


async def outbox_(sandbox: Sandbox, _request: Request) -> Json:
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
    box = _mailbox(sandbox, request.query_params.get("mailbox"))
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


async def faults(sandbox: Sandbox, request: Request) -> Json:
    """Take a list of faults, in addition to those still waiting; an empty list clears them."""
    wanted = read_faults(await _any_json(request))
    waiting = sandbox.faults.waiting
    sandbox.faults.waiting = [*waiting, *wanted] if wanted else []
    return {"waiting": sum(fault.times for fault in sandbox.faults.waiting)}


async def reset(sandbox: Sandbox, _request: Request) -> Json:
    sandbox.reset()
    return {}


async def expire_history_(sandbox: Sandbox, request: Request) -> Json:
    """Expire every history id of {"mailbox"} handed out so far."""
    body = await read_body(request)
    with sandbox.store.transaction():
        return {"historyId": str(expire_history(sandbox.store, _mailbox(sandbox, body.get("mailbox"))))}


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


async def grant(sandbox: Sandbox, request: Request) -> Json:
    """Let a user consent: {"mailbox"} -> {"code", "refresh_token"}; use one of them."""
    box = _mailbox(sandbox, (await read_body(request)).get("mailbox"))
    with sandbox.store.transaction():
        return {
            "code": issue_code(sandbox.store, box.address),
            "refresh_token": issue_refresh_token(sandbox.store, box.address),
        }


async def revoke_tokens_(sandbox: Sandbox, request: Request) -> Json:
    """Revoke every token, or {"mailbox"}'s alone."""
    body = await read_body(request)
    with sandbox.store.transaction():
        if "mailbox" in body:
            end_tokens(sandbox.store, _mailbox(sandbox, body["mailbox"]).address)
        else:
            revoke_tokens(sandbox.store)
    return {}


async def subscribe(sandbox: Sandbox, request: Request) -> Json:
    """Send webhooks to {"url", "secret"} from now on, after the handshake; a null url ends them."""
    body = await read_body(request)
    url = body.get("url")
    if not (url is None or isinstance(url, str)):
        raise invalid("url", "url is a string or null.")
    sandbox.webhooks.subscribe(url, str(body.get("secret", sandbox.webhooks.secret)))
    return await validate(sandbox, request) if url else {"validated": False}


async def validate(sandbox: Sandbox, _request: Request) -> Json:
    """Do the URL-validation handshake now."""
    return {"validated": await sandbox.webhooks.validate()}


async def webhook(sandbox: Sandbox, _request: Request) -> Json:
    """How the webhooks fared; `waiting` counts those under way or to be tried again."""
    hooks = sandbox.webhooks
    return {
        "url": hooks.url,
        "validated": hooks.validated,
        "delivered": hooks.delivered,
        "refused": hooks.refused,
        "given_up": hooks.given_up,
        "waiting": len(hooks.pending) + len(hooks.tasks),
    }


def _route(sandbox: Sandbox, method: str, control: Control) -> Route:
    async def endpoint(request: Request) -> Response:
        return JSONResponse(await control(sandbox, request))

    return Route(f"/{control.__name__.rstrip('_').replace('_', '-')}", endpoint, methods=[method])


def _mailbox(sandbox: Sandbox, address: object) -> Mailbox:
    box = sandbox.store.mailbox(address) if isinstance(address, str) else None
    if box is None:
        raise not_found("The mailbox")
    return box


def _addresses(body: dict[str, Any], name: str) -> list[str]:
    value = body.get(name, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise invalid(name, f"{name} is a list of addresses.")
    return value


async def _any_json(request: Request) -> object:
    try:
        body: object = json.loads(await request.body())
    except ValueError as error:
        raise invalid("body", "The body is not JSON.") from error
    return body["faults"] if isinstance(body, dict) and "faults" in body else body
