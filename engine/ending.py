"""End a task for certain."""

from __future__ import annotations

import asyncio
from typing import Any

AGAIN_AFTER_S = 0.2


async def end(task: asyncio.Task[Any]) -> None:
    """Cancel a task until it has ended; what it raised is its own affair.

    Before Python 3.12, `asyncio.wait_for`, by which redis-py writes, loses a cancellation that comes in
    the moment in which its work is done (python/cpython#86296).
    """
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=AGAIN_AFTER_S)
    if not task.cancelled():
        task.exception()
