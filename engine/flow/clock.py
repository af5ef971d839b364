"""The one place where the flow learns the time; tests pass their own."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextvars import ContextVar

Clock = Callable[[], int]
"""Epoch milliseconds."""

DEADLINE: ContextVar[float] = ContextVar("deadline", default=float("inf"))
"""No request of this task is begun after this time (epoch seconds)."""


def now_ms() -> int:
    return int(time.time() * 1000)
