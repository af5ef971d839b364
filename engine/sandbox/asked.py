"""What control calls ask."""

from __future__ import annotations

import json

from starlette.requests import Request

from engine.sandbox.failure import invalid, not_found
from engine.sandbox.state import Sandbox
from engine.sandbox.store import Mailbox


def named_mailbox(sandbox: Sandbox, address: object) -> Mailbox:
    """Find a hosted mailbox. Raises ApiError 404."""
    box = sandbox.store.mailbox(address) if isinstance(address, str) else None
    if box is None:
        raise not_found("The mailbox")
    return box


async def any_json(request: Request) -> object:
    """Read a body of any shape. Raises ApiError 400."""
    try:
        body: object = json.loads(await request.body())
    except (ValueError, RecursionError) as error:
        raise invalid("body", "The body is not JSON.") from error
    return body
