"""The time that all machines share: Redis tells it, so that claims and leases mean the same everywhere."""

from __future__ import annotations

import time
from typing import Any

from engine.errors import SettingsError

SAMPLES = 3
FAR_MS = 5_000
"""arq's jobs and the service's own times go by the machine's clock: a second or two does no harm."""


class ServerClock:
    """Epoch milliseconds by Redis' clock, read from our own with the difference that `sync` found."""

    def __init__(self, redis: Any) -> None:
        self._redis = redis
        self._ahead = 0.0

    def __call__(self) -> int:
        return int(time.time() * 1000 + self._ahead)

    async def sync(self) -> None:
        """Ask Redis a few times; the quickest answer is the truest.

        Raises SettingsError when this machine's clock is too wrong to share work with others.
        """
        asked = [await self._ask() for _ in range(SAMPLES)]
        took, self._ahead = min(asked)
        if abs(self._ahead) > took + FAR_MS:
            wrong = f"the clocks of Redis and of this machine differ by {abs(self._ahead) / 1000:.0f} s"
            raise SettingsError(f"{wrong}: set them right")

    async def _ask(self) -> tuple[float, float]:
        """How long the answer took, and how far Redis was ahead of us in its middle, in ms."""
        began = time.time() * 1000
        seconds, micros = await self._redis.time()
        ended = time.time() * 1000
        return ended - began, seconds * 1000 + micros / 1000 - (began + ended) / 2
