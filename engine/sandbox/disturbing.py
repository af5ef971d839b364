"""The control endpoints that let the service misbehave, and that give and take access."""

from __future__ import annotations

from starlette.requests import Request

from engine.sandbox.asked import any_json, named_mailbox
from engine.sandbox.call import read_body
from engine.sandbox.failure import invalid
from engine.sandbox.faults import read_faults
from engine.sandbox.mailbox import expire_history
from engine.sandbox.operations import operations
from engine.sandbox.representation import Json
from engine.sandbox.state import Sandbox
from engine.sandbox.tokens import end_tokens, issue_code, issue_refresh_token, revoke_tokens
from engine.sandbox.unreliable import Ways, read_unreliable

LONGEST_LAG_S = 86_400


async def faults(sandbox: Sandbox, request: Request) -> Json:
    """Take faults and shares, in addition to those that are there; an empty list clears them."""
    wanted = read_faults(await any_json(request), frozenset(known.id for known in operations()))
    if wanted:
        sandbox.faults.add(wanted)
    else:
        sandbox.faults.clear()
    return {"waiting": sum(fault.times for fault in sandbox.faults.waiting)}


async def faults_shown(sandbox: Sandbox, _request: Request) -> Json:
    """What is still to be shown, and how often each kind was."""
    faults = sandbox.faults
    return {
        "waiting": [fault.model_dump(exclude_defaults=True) for fault in faults.waiting],
        "shares": [share.model_dump() for share, _random in faults.shares.values()],
        "shown": dict(faults.shown),
    }


async def lag(sandbox: Sandbox, request: Request) -> Json:
    """Let what `q` finds trail behind writes: {"search": seconds}, 0 to end it."""
    seconds = (await read_body(request)).get("search")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= LONGEST_LAG_S:
        raise invalid("search", f"search is a number of seconds up to {LONGEST_LAG_S}.")
    sandbox.store.lag.seconds = seconds
    return {"search": seconds}


async def expire_all_history(sandbox: Sandbox, request: Request) -> Json:
    """Expire every history id of {"mailbox"} handed out so far."""
    body = await read_body(request)
    with sandbox.store.transaction():
        return {"historyId": str(expire_history(sandbox.store, named_mailbox(sandbox, body.get("mailbox"))))}


async def grant(sandbox: Sandbox, request: Request) -> Json:
    """Let a user consent: {"mailbox"} -> {"code", "refresh_token"}; use one of them."""
    box = named_mailbox(sandbox, (await read_body(request)).get("mailbox"))
    with sandbox.store.transaction():
        return {
            "code": issue_code(sandbox.store, box.address),
            "refresh_token": issue_refresh_token(sandbox.store, box.address),
        }


async def revoke_all_tokens(sandbox: Sandbox, request: Request) -> Json:
    """Revoke every token, or {"mailbox"}'s alone."""
    body = await read_body(request)
    with sandbox.store.transaction():
        if "mailbox" in body:
            end_tokens(sandbox.store, named_mailbox(sandbox, body["mailbox"]).address)
        else:
            revoke_tokens(sandbox.store)
    return {}


async def subscribe(sandbox: Sandbox, request: Request) -> Json:
    """Send webhooks to {"url", "secret"[, "mailboxes"]}, after the handshake; a null url ends them."""
    body = await read_body(request)
    url = body.get("url")
    if not (url is None or isinstance(url, str)):
        raise invalid("url", "url is a string or null.")
    sandbox.webhooks.subscribe(
        url, str(body.get("secret", sandbox.webhooks.secret)), _subscribed(sandbox, body.get("mailboxes"))
    )
    return {"validated": bool(url) and await sandbox.webhooks.validate()}


def _subscribed(sandbox: Sandbox, names: object) -> list[str] | None:
    """Find the mailboxes of these names; None, for all, where none are given."""
    if names is None:
        return None
    if not isinstance(names, list):
        raise invalid("mailboxes", "mailboxes is a list of addresses.")
    return [named_mailbox(sandbox, name).address for name in names]


async def validate(sandbox: Sandbox, request: Request) -> Json:
    """Do the URL-validation handshake now: as by hand, or {"scheduled": true} as if 72 hours had passed."""
    hooks = sandbox.webhooks
    if (await read_body(request)).get("scheduled") is True:
        await hooks.revalidate(due=True)
    else:
        await hooks.validate()
    return {"validated": hooks.validated}


async def webhooks(sandbox: Sandbox, request: Request) -> Json:
    """Lose, double, delay and reorder shares of the webhooks from now on; {} ends it."""
    told = read_unreliable(await any_json(request))
    sandbox.webhooks.ways = Ways(told)
    return told.model_dump()


async def webhook(sandbox: Sandbox, _request: Request) -> Json:
    """How the webhooks fared; `waiting` counts those under way or to be tried again."""
    hooks = sandbox.webhooks
    done = {name: hooks.ways.done[name] for name in ("lost", "duplicated", "reordered", "late")}
    return {
        "url": hooks.url,
        "validated": hooks.validated,
        "failures": hooks.failures,
        "warned": hooks.warned,
        "disabled": hooks.disabled,
        "delivered": hooks.delivered,
        "refused": hooks.refused,
        "given_up": hooks.given_up,
        "waiting": len(hooks.pending) + len(hooks.tasks),
        **done,
    }
