"""Write together what comes together: what waits while Redis is busy shares the next round trip."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from itertools import accumulate
from typing import Generic, TypeVar

AT_ONCE = 2
"""Round trips under way: Redis takes one while the other is answered, and what comes meanwhile gathers."""
MOST, MOST_BYTES = 200, 8_000_000
"""What one round trip carries, unless a single item is more."""

T = TypeVar("T")
R = TypeVar("R")


class Together(Generic[T, R]):
    """Gives each item's own answer when all that it was written with is acknowledged."""

    def __init__(
        self, write: Callable[[Sequence[T]], Awaitable[Sequence[R]]], size: Callable[[T], int] = lambda _: 0
    ) -> None:
        """`size` gives the bytes of an item."""
        self._write, self._size = write, size
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def put(self, item: T) -> R:
        """Wait until it is written; raises what writing raised."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[R] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._begin)
        self._waiting.append((item, done))
        return await done

    def _begin(self) -> None:
        if not self._waiting or len(self._tasks) == AT_ONCE:
            return
        count = self._fitting()
        taken, self._waiting = self._waiting[:count], self._waiting[count:]
        task = asyncio.get_running_loop().create_task(self._flush(taken))
        self._tasks.add(task)
        task.add_done_callback(self._end)

    def _fitting(self) -> int:
        """How many of those that wait share a round trip; one in any case."""
        sizes = accumulate(self._size(item) for item, _ in self._waiting[:MOST])
        return max(1, sum(1 for size in sizes if size <= MOST_BYTES))

    def _end(self, task: asyncio.Task[None]) -> None:
        self._tasks.remove(task)
        self._begin()

    async def _flush(self, taken: Sequence[tuple[T, asyncio.Future[R]]]) -> None:
        try:
            answers = await self._write([item for item, _ in taken])
        except Exception as error:  # noqa: BLE001 - each waiting request answers with it
            for _, done in taken:
                if not done.cancelled():
                    done.set_exception(error)
            return
        for (_, done), answer in zip(taken, answers, strict=True):
            if not done.cancelled():
                done.set_result(answer)
