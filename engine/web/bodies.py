"""Read a request's body, bounded in size and time."""

from __future__ import annotations

import asyncio

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

MAX_BODY = 1_048_576
BODY_WITHIN_S = 5.0


async def read_body(request: Request, limit: int = MAX_BODY) -> bytes:
    """The raw bytes. Raises HTTPException: 413 when too large, 408 when too slow, 400 when cut off."""
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > limit:
        raise HTTPException(413, "the body is too large")
    try:
        async with asyncio.timeout(BODY_WITHIN_S):
            return await _gather(request, limit)
    except TimeoutError:
        raise HTTPException(408, "the body came too slowly") from None
    except ClientDisconnect:
        raise HTTPException(400, "the body was cut off") from None


async def _gather(request: Request, limit: int) -> bytes:
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise HTTPException(413, "the body is too large")
        chunks.append(chunk)
    return b"".join(chunks)
