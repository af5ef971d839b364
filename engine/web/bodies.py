"""Read a request's body, bounded in size and time."""

from __future__ import annotations

import asyncio

from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope

MAX_BODY = 1_048_576
BODY_WITHIN_S = 5.0
WHOLE = "postroom.whole"
"""Stands in the scope's state where the server has the whole request already."""


async def read_body(scope: Scope, receive: Receive, limit: int = MAX_BODY) -> bytes:
    """The raw bytes. Raises HTTPException: 413 when too large, 408 when too slow, 400 when cut off."""
    declared = dict(scope["headers"]).get(b"content-length", b"0")
    if declared.isdigit() and int(declared) > limit:
        raise HTTPException(413, "the body is too large")
    if WHOLE in scope.get("state", ()):
        return await _gather(receive, limit)
    try:
        async with asyncio.timeout(BODY_WITHIN_S):
            return await _gather(receive, limit)
    except TimeoutError:
        raise HTTPException(408, "the body came too slowly") from None


async def _gather(receive: Receive, limit: int) -> bytes:
    chunks, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise HTTPException(400, "the body was cut off")
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > limit:
            raise HTTPException(413, "the body is too large")
        more = message.get("more_body", False)
    return b"".join(chunks)
