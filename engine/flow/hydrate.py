"""Fetch what the rules need, several messages at a time, and judge."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from engine.errors import MessageGone, ProviderError, Rejected
from engine.flow.ports import Provider
from engine.flow.rulebook import Rulebook
from engine.flow.stores import Queued
from engine.mail.events import Event, EventKind
from engine.mail.message import Message
from engine.mail.needs import Need, Needs
from engine.rules.evaluate import evaluate
from engine.rules.evaluation import Evaluation, Undecided

FETCHES_AT_ONCE = 16
WITHOUT_MESSAGE = frozenset(
    {EventKind.SETTINGS_CHANGED, EventKind.DELEGATE_CHANGED, EventKind.MESSAGE_DELETED}
)
NOT_ONE_RULE = "*"
"""Stands for the rule where the whole message could not be judged."""


@dataclass(frozen=True, slots=True)
class Looked:
    """One event with what could be had of its message."""

    queued: Queued
    message: Message | None = None
    evaluation: Evaluation | None = None
    """None when it is not decided: `error` says why."""
    error: ProviderError | None = None


class Hydrator:
    """Looks at one batch of events of one mailbox."""

    def __init__(self, provider: Provider, book: Rulebook, now_ms: int) -> None:
        self._provider, self._book = provider, book
        self._now = now_ms
        self._slots = asyncio.Semaphore(FETCHES_AT_ONCE)

    async def look(self, batch: Sequence[Queued], patient: Sequence[bool]) -> list[Looked]:
        """Look at all; where `patient` is False nothing more is waited for and the verdict is final."""
        return list(await asyncio.gather(*(self._look(*pair) for pair in zip(batch, patient, strict=True))))

    async def _look(self, queued: Queued, patient: bool) -> Looked:
        async with self._slots:
            event = queued.event
            try:
                message = await self._fetch(event, self._first_needs(event))
                return await self._judge(queued, message)
            except MessageGone as gone:
                return Looked(queued, None, Evaluation(), gone)
            except ProviderError as error:
                if patient and not isinstance(error, Rejected):
                    return Looked(queued, error=error)
                return Looked(queued, None, _unreadable(str(error)), error)

    def _first_needs(self, event: Event) -> Needs:
        needs = self._book.rules.needs_for(event.kind, event.mailbox)
        return needs if event.history else needs | {Need.HEADERS}

    async def _fetch(self, event: Event, needs: Needs) -> Message:
        """Fetch in one call, or not at all where the event itself says enough."""
        known = Message(event.key, event.mailbox, event.thread, frozenset(event.labels))
        if event.kind in WITHOUT_MESSAGE or needs <= {Need.LABELS}:
            return known
        return replace(await self._provider.fetch(event.mailbox, event.key, needs), mailbox=event.mailbox)

    async def _judge(self, queued: Queued, message: Message) -> Looked:
        """Judge; while rules are undecided for want of a part, fetch that part and judge again."""
        had: Needs = self._first_needs(queued.event)
        evaluation = judge_once(self._book, queued.event, message, self._now)
        while not evaluation.needs <= had and queued.event.kind not in WITHOUT_MESSAGE:
            had |= evaluation.needs
            message = await self._fetch(queued.event, had)
            evaluation = judge_once(self._book, queued.event, message, self._now)
        if evaluation.undecided:
            evaluation = judge_once(self._book, queued.event, message, self._now, final=True)
        return Looked(queued, message, evaluation)


def judge_once(
    book: Rulebook, event: Event, message: Message, now_ms: int, *, final: bool = False
) -> Evaluation:
    """Judge one message; a defect of ours makes it undecided, never unmatched."""
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    try:
        return evaluate(book.rules, event, message, now, final=final)
    except Exception as defect:  # noqa: BLE001 - one message must not stop a lane
        return _unreadable(f"judging failed: {type(defect).__name__}")


def _unreadable(why: str) -> Evaluation:
    return Evaluation(undecided=(Undecided(NOT_ONE_RULE, frozenset(), why, stop=True),))
