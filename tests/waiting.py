"""The one way in which tests wait: for a condition, with a limit."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Callable
from typing import Any


async def wait_for(
    condition: Callable[[], Any], *, seconds: float = 30, every: float = 0.02, what: str = ""
) -> Any:
    """Wait until the condition, plain or async, gives something true; return that."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if inspect.isawaitable(found):
            found = await found
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what or inspect.getsource(condition).strip()}")
        await asyncio.sleep(every)
