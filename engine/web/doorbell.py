"""Ring for mailboxes together: what rings in one turn, or while Redis is busy, shares a round trip."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

Ring = Callable[[Mapping[str, str]], Awaitable[None]]
"""Takes what rang, each with the trace of its newest ring."""

AT_ONCE = 2
"""Round trips under way: Redis takes one while the other is answered, and what rings meanwhile gathers."""


class Doorbell:
    """Returns from `ring` when Redis has acknowledged it, and raises what Redis raised."""

    def __init__(self, ring: Ring) -> None:
        self._ring = ring
        self._waiting: dict[str, list[asyncio.Future[None]]] = {}
        self._traces: dict[str, str] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def ring(self, mailbox: str, trace: str = "") -> None:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._begin)
        self._waiting.setdefault(mailbox, []).append(done)
        self._traces[mailbox] = trace
        await done

    def _begin(self) -> None:
        if not self._waiting or len(self._tasks) == AT_ONCE:
            return
        waiting, self._waiting = self._waiting, {}
        traces, self._traces = self._traces, {}
        task = asyncio.get_running_loop().create_task(self._flush(waiting, traces))
        self._tasks.add(task)
        task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        self._tasks.remove(task)
        self._begin()

    async def _flush(self, waiting: dict[str, list[asyncio.Future[None]]], traces: dict[str, str]) -> None:
        error: BaseException | None = None
        try:
            await self._ring(traces)
        except Exception as raised:  # noqa: BLE001 - each waiting request answers with it
            error = raised
        for done in (future for futures in waiting.values() for future in futures):
            if done.cancelled():
                continue
            if error is None:
                done.set_result(None)
            else:
                done.set_exception(error)
