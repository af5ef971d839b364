"""The time that all machines share: Redis tells it, so that claims and leases mean the same everywhere."""

from __future__ import annotations

import time
from typing import Any

SAMPLES = 3


class ServerClock:
    """Epoch milliseconds by Redis' clock, read from our own with the difference that `sync` found."""

    def __init__(self, redis: Any) -> None:
        self._redis = redis
        self._ahead = 0.0

    def __call__(self) -> int:
        return int(time.time() * 1000 + self._ahead)

    async def sync(self) -> None:
        """Ask Redis a few times; the quickest answer is the truest."""
        asked = [await self._ask() for _ in range(SAMPLES)]
        self._ahead = min(asked)[1]

    async def _ask(self) -> tuple[float, float]:
        """How long the answer took, and how far Redis was ahead of us in its middle, in ms."""
        began = time.time() * 1000
        seconds, micros = await self._redis.time()
        ended = time.time() * 1000
        return ended - began, seconds * 1000 + micros / 1000 - (began + ended) / 2
