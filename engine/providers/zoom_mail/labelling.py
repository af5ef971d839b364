"""Change the labels of many messages with as few calls as the day's allowance permits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from engine.errors import MessageGone, RateLimited, Rejected
from engine.providers.zoom_mail.client import ZoomMailClient
from engine.providers.zoom_mail.labels import LabelBooks

T = TypeVar("T")

BATCH = 1000
"""Ids in one batchModify: Zoom is silent, Gmail's reference states 1,000."""
AT_ONCE = 8
SPENT_S = 60.0
"""A longer wait for HEAVY calls means that the day's allowance is spent."""


@dataclass(frozen=True, slots=True)
class _Change:
    """Label ids to put on and to take off."""

    add: Sequence[str]
    remove: Sequence[str]


class Labeller:
    """Changes labels by name."""

    def __init__(
        self, client: ZoomMailClient, books: LabelBooks, clock: Callable[[], float] = time.time
    ) -> None:
        self._client, self._books, self._clock = client, books, clock

    async def change(
        self, mailbox: str, keys: Sequence[str], add: Sequence[str], remove: Sequence[str]
    ) -> None:
        """Change the labels of all messages. Idempotent: who repeats it after an error does no harm."""
        await self._changed(mailbox, add, remove, partial(self._apply, mailbox, keys))

    async def change_thread(
        self, mailbox: str, thread: str, keys: Sequence[str], add: Sequence[str], remove: Sequence[str]
    ) -> tuple[str, ...]:
        """Change the labels of a thread in one call, `keys` of which are known; give all it touched."""

        async def apply(change: _Change) -> tuple[str, ...]:
            if not change.add and not change.remove:
                return ()
            answer = await self._client.modify_thread(mailbox, thread, change.add, change.remove)
            return tuple(dict.fromkeys([*keys, *(message.id for message in answer.messages)]))

        return await self._changed(mailbox, add, remove, apply)

    async def _changed(
        self,
        mailbox: str,
        add: Sequence[str],
        remove: Sequence[str],
        apply: Callable[[_Change], Awaitable[T]],
    ) -> T:
        change = None
        try:
            change = await self._resolve(mailbox, add, remove)
            return await apply(change)
        except Rejected:
            # Somebody may have deleted and remade a label, or a parent, whose id we remember.
            self._books.forget(mailbox)
            again = await self._resolve(mailbox, add, remove)
            if again == change:
                raise
            return await apply(again)

    async def _resolve(self, mailbox: str, add: Sequence[str], remove: Sequence[str]) -> _Change:
        return _Change(
            await self._books.ids(mailbox, add, create=True),
            await self._books.ids(mailbox, remove, create=False),
        )

    async def _apply(self, mailbox: str, keys: Sequence[str], change: _Change) -> None:
        if not change.add and not change.remove:
            return
        for start in range(0, len(keys), BATCH):
            await self._change_batch(mailbox, keys[start : start + BATCH], change)

    async def _change_batch(self, mailbox: str, keys: Sequence[str], change: _Change) -> None:
        if len(keys) == 1:
            await self._client.modify(mailbox, keys[0], change.add, change.remove)
            return
        try:
            await self._client.batch_modify(mailbox, keys, change.add, change.remove)
        except RateLimited as error:
            if error.until - self._clock() <= SPENT_S:
                raise
            await self._change_singly(mailbox, keys, change)

    async def _change_singly(self, mailbox: str, keys: Sequence[str], change: _Change) -> None:
        """Change one by one; a message that is refused does not keep the next from its change."""
        refused: list[BaseException] = []
        for start in range(0, len(keys), AT_ONCE):
            calls = (
                self._client.modify(mailbox, key, change.add, change.remove)
                for key in keys[start : start + AT_ONCE]
            )
            results = await asyncio.gather(*calls, return_exceptions=True)
            failures = [result for result in results if isinstance(result, BaseException)]
            for failure in failures:
                if not isinstance(failure, Rejected | MessageGone):
                    raise failure
            refused += failures
        if refused:
            raise refused[0]
