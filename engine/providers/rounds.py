"""One piece of reading for all who ask for it before it begins; who comes later waits for the next one.

What is read for somebody is read after he asked: what was read before might be out of date for him.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from engine.deadline import DEADLINE

Q = TypeVar("Q")
A = TypeVar("A")


@dataclass(eq=False)
class _Round(Generic[Q, A]):
    task: asyncio.Task[A] = field(init=False)
    questions: list[Q] = field(default_factory=list)
    waiting: int = 0


class Rounds(Generic[Q, A]):
    """Answers questions about mailboxes: those about one mailbox together, round after round."""

    def __init__(self, answer: Callable[[str, list[Q]], Awaitable[A]]) -> None:
        self._answer = answer
        self._coming: dict[str, _Round[Q, A]] = {}
        """By mailbox, the round that has not begun."""
        self._last: dict[str, asyncio.Task[A]] = {}
        """By mailbox, the newest round, begun or not."""

    async def ask(self, mailbox: str, question: Q) -> A:
        """Have a question answered with the others of its round; an error is everybody's."""
        joined = self._coming.get(mailbox) or self._open(mailbox)
        joined.questions.append(question)
        joined.waiting += 1
        try:
            return await asyncio.shield(joined.task)
        finally:
            joined.waiting -= 1
            if not joined.waiting:
                self._close(mailbox, joined)
                joined.task.cancel()

    def _open(self, mailbox: str) -> _Round[Q, A]:
        opened = self._coming[mailbox] = _Round[Q, A]()
        context = copy_context()
        # It ends when nobody waits for it any more, not when the time of the one who came first is over.
        context.run(DEADLINE.set, float("inf"))
        going = self._go(mailbox, opened, self._last.get(mailbox))
        opened.task = self._last[mailbox] = asyncio.create_task(going, context=context)
        opened.task.add_done_callback(lambda task: self._forget(mailbox, task))
        return opened

    async def _go(self, mailbox: str, own: _Round[Q, A], before: asyncio.Task[A] | None) -> A:
        if before:
            await asyncio.wait({before})
        self._close(mailbox, own)
        return await self._answer(mailbox, own.questions)

    def _close(self, mailbox: str, closed: _Round[Q, A]) -> None:
        if self._coming.get(mailbox) is closed:
            del self._coming[mailbox]

    def _forget(self, mailbox: str, ended: asyncio.Task[A]) -> None:
        if self._last.get(mailbox) is ended:
            del self._last[mailbox]
