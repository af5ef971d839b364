"""The short way: runs that a batch opens are carried out by the same process instead of going over the queue.

A job that is enqueued takes a worker seven round trips. A run that is begun here and is lost with its process
is found by the tick, like one that is lost from the queue. It is begun here only by the batch that opens it:
one that is open already may be waiting out a send that may have worked.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from contextvars import Context
from typing import Any

from engine.ending import end

MOST = 32
"""Runs under way this way; beyond it the queue shares them out among all workers."""

Work = Callable[[str], Coroutine[Any, Any, None]]
"""Carries a run on."""


class Shortcut:
    """Runs that this process carries out itself; none, unless it is a worker that is open for them."""

    def __init__(self) -> None:
        self._work: Work | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._reserved = 0

    def reserve(self) -> bool:
        """Hold room for one run more, until it is given back; False where there is none."""
        free = self._work is not None and len(self._tasks) + self._reserved < MOST
        self._reserved += free
        return free

    def give_back(self, reserved: int) -> None:
        """Hold no more room for so many runs: they are begun now, or not at all."""
        self._reserved -= reserved

    def begin(self, run: str) -> None:
        """Begin a run; one for which it is too late is left to the tick."""
        if self._work:
            # In a context of its own: whether what sets it off can wait says nothing of it.
            task = asyncio.create_task(self._work(run), context=Context())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    @asynccontextmanager
    async def open(self, work: Work) -> AsyncIterator[None]:
        """Begin runs until it is left; what is still under way then is ended."""
        self._work = work
        try:
            yield
        finally:
            self._work = None
            for task in list(self._tasks):
                await end(task)

    async def finish(self, seconds: float) -> None:
        """Begin no more, and let what is under way come to its end within so many seconds."""
        self._work = None
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
