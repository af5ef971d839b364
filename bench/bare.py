"""The peer of a worker: a bare loop over the same client that makes the same calls and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any

from bench.expected import Work
from engine.flow.drain import BATCH
from engine.flow.hydrate import FETCHES_AT_ONCE
from engine.flow.plan import LabelGroup
from engine.flow.ports import Provider
from engine.mail.events import EventKind
from engine.mail.needs import Need, Needs

ANSWER = (
    "From: {mailbox}\r\nTo: someone@elsewhere.example\r\nSubject: Re: your message\r\n\r\nIt has arrived.\r\n"
)


class BareLoop:
    """Reads the history, fetches every message, and does what was worked out beforehand."""

    def __init__(self, provider: Provider, mailbox: str, work: Work, needs: Needs) -> None:
        self._provider, self._mailbox, self._work, self._needs = provider, mailbox, work, needs
        self._slots = asyncio.Semaphore(FETCHES_AT_ONCE)

    async def run(self, cursor: int) -> None:
        keys = await self._arrived(cursor)
        groups = list(self._work.groups)
        for start in range(0, len(keys), BATCH):
            await self._together(
                self._provider.fetch(self._mailbox, key, self._needs) for key in keys[start : start + BATCH]
            )
            due = [group for group in groups if start <= int(group.keys[0]) < start + BATCH]
            await self._together(self._change(group, keys) for group in due)
        await self._together(self._answer(keys[at], draft=False) for at in self._work.sends)
        await self._together(self._answer(keys[at], draft=True) for at in self._work.drafts)

    async def _arrived(self, cursor: int) -> list[str]:
        keys: list[str] = []
        more = True
        while more:
            page = await self._provider.history(self._mailbox, cursor)
            keys += [event.key for event in page.events if event.kind is EventKind.MESSAGE_RECEIVED]
            cursor, more = page.cursor, page.more
        return keys

    async def _change(self, group: LabelGroup, keys: list[str]) -> None:
        named = [keys[int(at)] for at in group.keys]
        await self._provider.change_labels(self._mailbox, named, group.add, group.remove)

    async def _answer(self, key: str, *, draft: bool) -> None:
        await self._provider.fetch(self._mailbox, key, frozenset({Need.HEADERS}))
        raw = ANSWER.format(mailbox=self._mailbox).encode()
        await (self._provider.save_draft if draft else self._provider.send)(self._mailbox, raw)

    async def _together(self, calls: Iterable[Coroutine[Any, Any, object]]) -> None:
        await asyncio.gather(*map(self._in_turn, calls))

    async def _in_turn(self, call: Coroutine[Any, Any, object]) -> None:
        async with self._slots:
            await call
