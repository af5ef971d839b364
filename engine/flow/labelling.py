"""A lane's label calls, made beside the fetches of the batch that is decided next."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from engine.ending import end
from engine.flow.labels import Unfinished

Finish = Callable[[], Coroutine[Any, Any, Unfinished | None]]


class Labelling:
    """Rounds of label calls, one after another."""

    def __init__(self, finish: Finish) -> None:
        self._finish = finish
        self._round: asyncio.Task[Unfinished | None] | None = None
        self._once_more = False
        """Whether groups were committed that the round under way may have missed."""

    def begin(self) -> None:
        """See to it that a round is under way. Raises what an earlier one raised."""
        if self._round is None or self._round.done():
            self._take()
            self._round, self._once_more = asyncio.create_task(self._finish()), False
        else:
            self._once_more = True

    async def finish(self) -> Unfinished | None:
        """Wait until every group was tried that is due; give those that have to wait."""
        await self.wait()
        if self._once_more:
            self.begin()
            await self.wait()
        return self._take()

    async def wait(self) -> None:
        """Wait for the calls under way, whatever comes of them."""
        if self._round is not None:
            await asyncio.wait({self._round})

    async def stop(self) -> None:
        if self._round is not None:
            await end(self._round)

    def _take(self) -> Unfinished | None:
        done, self._round = self._round, None
        return done.result() if done else None


@asynccontextmanager
async def labelling(finish: Finish) -> AsyncIterator[Labelling]:
    """Make label calls beside the block, which ends when they do: none may outlive the lease."""
    calls = Labelling(finish)
    try:
        yield calls
        await calls.finish()
    except Exception:
        await calls.wait()
        raise
    finally:
        await calls.stop()
