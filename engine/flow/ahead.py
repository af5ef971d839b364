"""Fetch the first messages of the next batch while the one before is decided and committed.

What it fetches in vain costs a call and nothing else: an event stays in its lane until it is committed.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from types import NoneType
from typing import NamedTuple

from engine import tracing
from engine.ending import end
from engine.errors import MessageGone, Rejected
from engine.flow.plan import LabelGroup
from engine.flow.ports import Provider
from engine.flow.sift import RECEPTIONS, sift
from engine.flow.stores import Queued
from engine.mail.message import Message
from engine.mail.needs import Needs
from engine.rules.ruleset import RuleSet


class Wanted(NamedTuple):
    """One call."""

    mailbox: str
    key: str
    needs: Needs


class Ahead:
    """Calls of one turn that nobody waits for yet."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._left: deque[tuple[Wanted, str]] = deque()
        self._held = False
        self._asked: dict[Wanted, asyncio.Task[Message]] = {}
        self._tasks: set[asyncio.Task[Message]] = set()

    async def fetch(self, wanted: Wanted) -> Message:
        """Give what was fetched already, else fetch it; what was in the way by then may be so no more."""
        task = self._asked.pop(wanted, None)
        return await (task if task and not _hindered(task) else self._provider.fetch(*wanted))

    def expect(self, coming: Iterable[tuple[Wanted, str]]) -> None:
        """Begin nothing more until told to, and then these, each for the cause given."""
        self._left, self._held = deque(coming), True

    def begin(self) -> None:
        """Fetch the next, then the one behind it, and so on."""
        if self._held:
            self._held = False
            self._asked.clear()  # What nobody wanted of it may be out of date when somebody does.
        self._begin_next()

    async def stop(self) -> None:
        self._left.clear()
        for task in list(self._tasks):
            await end(task)

    def _begin_next(self) -> None:
        if self._left and not self._held:
            wanted, trace = self._left.popleft()
            task = self._asked[wanted] = asyncio.create_task(self._fetch(wanted, trace))
            self._tasks.add(task)
            task.add_done_callback(self._go_on)

    async def _fetch(self, wanted: Wanted, trace: str) -> Message:
        with tracing.span("fetch ahead", trace, mailbox=wanted.mailbox):
            return await self._provider.fetch(*wanted)

    def _go_on(self, done: asyncio.Task[Message]) -> None:
        self._tasks.discard(done)
        if _hindered(done):
            self._left.clear()
        self._begin_next()


def _hindered(task: asyncio.Task[Message]) -> bool:
    """Say whether a call has failed by something that may pass."""
    if not task.done():
        return False
    return task.cancelled() or not isinstance(task.exception(), (NoneType, MessageGone, Rejected))


@asynccontextmanager
async def fetching_ahead(provider: Provider) -> AsyncIterator[Ahead]:
    """Fetch ahead within the block, and not beyond it."""
    ahead = Ahead(provider)
    try:
        yield ahead
    finally:
        await ahead.stop()


def fetchable(
    behind: Sequence[Queued], batch: Sequence[Queued], pending: Iterable[LabelGroup], rules: RuleSet
) -> list[Queued]:
    """Choose the arrivals behind a batch whose labels nothing changes that is decided by then."""
    known = frozenset(one.event.key for one in batch).union(*(group.keys for group in pending))
    look = sift(behind, known, {}, rules).look
    return [
        one for one in look if one.event.kind in RECEPTIONS and one.event.history and not one.event.applied
    ]
