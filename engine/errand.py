"""Whether a task does what can wait, such as backfill or an audit: then it has a mere share of the budget."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

BACKGROUND: ContextVar[bool] = ContextVar("BACKGROUND", default=False)


@contextmanager
def in_background() -> Iterator[None]:
    """Let the calls made inside stand behind those that somebody waits for."""
    token = BACKGROUND.set(True)
    try:
        yield
    finally:
        BACKGROUND.reset(token)
