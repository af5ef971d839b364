"""A bound on processor time that only super-linear code can break."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def at_most(*, seconds: float) -> Iterator[None]:
    """Fail when the body takes more processor time than that, however busy the machine is."""
    started = time.process_time()
    yield
    assert time.process_time() - started < seconds
