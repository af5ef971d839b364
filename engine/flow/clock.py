"""The one place where the flow learns the time; tests pass their own."""

from __future__ import annotations

import time
from collections.abc import Callable

Clock = Callable[[], int]
"""Epoch milliseconds."""


def now_ms() -> int:
    return int(time.time() * 1000)
