"""Work counted in lines of Python that are run: the same on every machine, whatever else it does.

What is done within one call of C, such as a search by RE2, counts as nothing here; `python -m bench
hostile` takes the time of that.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from engine.mail import address

SLACK = 0.1
"""Twice the input may take a tenth more than twice the lines,"""
FLOOR = 400
"""and so many lines besides: tables that grow, bounds that are met halfway."""


def steps(work: Callable[[], object]) -> int:
    """Count the lines that some work runs."""
    count = 0

    def trace(frame: FrameType, event: str, arg: Any) -> Any:
        nonlocal count
        count += 1
        return trace

    _forget()
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def _forget() -> None:
    """Empty what remembers texts that were read."""
    address._parsed.cache_clear()


def excess(work: Callable[[int], Callable[[], object]], size: int) -> str:
    """Say by how much the lines more than double with the size, "" if they do not.

    `work` makes what is needed, and gives the function that is counted.
    """
    work(size // 4)()  # Tables are made when first asked for.
    once, twice = steps(work(size)), steps(work(2 * size))
    return f"{once} lines, then {twice}" if twice > 2 * (1 + SLACK) * once + FLOOR else ""
