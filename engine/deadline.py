"""Until when the task at hand may begin a request; whoever writes to a socket asks here first."""

from __future__ import annotations

import time
from contextvars import ContextVar

from engine.errors import Unavailable

DEADLINE: ContextVar[float] = ContextVar("deadline", default=float("inf"))
"""Epoch seconds."""


def check_deadline() -> None:
    """Raise Unavailable when the deadline has passed: the call was not begun."""
    if time.time() >= DEADLINE.get():
        raise Unavailable("the deadline passed before the call was begun")
