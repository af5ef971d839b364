"""One piece of reading for all who ask for it before it begins; who comes later waits for the next one.

What is read for somebody is read after he asked: what was read before might be out of date for him.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from engine.deadline import DEADLINE

K = TypeVar("K", bound=Hashable)
Q = TypeVar("Q")
A = TypeVar("A")


@dataclass(eq=False)
class _Round(Generic[Q, A]):
    task: asyncio.Task[A] = field(init=False)
    questions: list[Q] = field(default_factory=list)
    waiting: int = 0


class Rounds(Generic[K, Q, A]):
    """Answers questions: those about one thing, such as a mailbox, together, round after round."""

    def __init__(self, answer: Callable[[K, list[Q]], Awaitable[A]]) -> None:
        self._answer = answer
        self._coming: dict[K, _Round[Q, A]] = {}
        """By what is asked about, the round that has not begun."""
        self._last: dict[K, asyncio.Task[A]] = {}
        """By what is asked about, the newest round, begun or not."""

    async def ask(self, about: K, question: Q) -> A:
        """Have a question answered with the others of its round; an error is everybody's."""
        joined = self._coming.get(about) or self._open(about)
        joined.questions.append(question)
        joined.waiting += 1
        try:
            return await asyncio.shield(joined.task)
        finally:
            joined.waiting -= 1
            if not joined.waiting:
                self._close(about, joined)
                joined.task.cancel()

    def _open(self, about: K) -> _Round[Q, A]:
        opened = self._coming[about] = _Round[Q, A]()
        context = copy_context()
        # It ends when nobody waits for it any more, not when the time of the one who came first is over.
        context.run(DEADLINE.set, float("inf"))
        going = self._go(about, opened, self._last.get(about))
        opened.task = self._last[about] = asyncio.create_task(going, context=context)
        opened.task.add_done_callback(lambda task: self._forget(about, task))
        return opened

    async def _go(self, about: K, own: _Round[Q, A], before: asyncio.Task[A] | None) -> A:
        if before:
            await asyncio.wait({before})
        self._close(about, own)
        return await self._answer(about, own.questions)

    def _close(self, about: K, closed: _Round[Q, A]) -> None:
        if self._coming.get(about) is closed:
            del self._coming[about]

    def _forget(self, about: K, ended: asyncio.Task[A]) -> None:
        if self._last.get(about) is ended:
            del self._last[about]
