"""Whether work grows no faster than what it is done on; the machine's own speed does not matter."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

FACTOR = 8
ATTEMPTS = 8
LEAST_NS = 2_000_000
"""Less than this is noise; quadratic work on so much takes far more."""


def is_linear(work: Callable[[int], object], size: int) -> bool:
    """Compare the work on `size` and on FACTOR times as much: 8 where it is linear, 64 where it is quadratic.

    One attempt of several is enough: noise never spoils all of them, and quadratic work all of them.
    """
    return any(
        _took(work, FACTOR * size + attempt) < 3 * FACTOR * _took(work, size + attempt)
        for attempt in range(ATTEMPTS)
    )


def _took(work: Callable[[int], object], size: int) -> float:
    gc.disable()  # A collection costs what other tests have left lying about.
    try:
        started = time.process_time_ns()
        work(size)
        return max(time.process_time_ns() - started, LEAST_NS)
    finally:
        gc.enable()
