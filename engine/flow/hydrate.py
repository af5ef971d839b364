"""Fetch what the rules need, several messages at a time, and judge."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache

from engine.errand import in_background
from engine.errors import MessageGone, ProviderError, RateLimited, Rejected, Unauthorized
from engine.flow.ahead import Ahead, Wanted
from engine.flow.asked import judge_asked
from engine.flow.bounces import bounce_match
from engine.flow.clock import Clock
from engine.flow.doubt_batch import as_it_arrived
from engine.flow.guard import SENDING
from engine.flow.holding import NO_PROFILES, Profiles
from engine.flow.ports import Provider
from engine.flow.rulebook import Rulebook
from engine.flow.scheduling import found_by
from engine.flow.sift import may_be_bounce
from engine.flow.stores import Queued
from engine.flow.threads import Threads
from engine.mail.events import SEND_REQUESTED, Event, EventKind
from engine.mail.message import Message, no_message
from engine.mail.needs import Need, Needs, union
from engine.rules.evaluate import evaluate
from engine.rules.evaluation import Evaluation, judging_failed, unjudged
from engine.rules.memory import UNREAD, Memory

FETCHES_AT_ONCE = 16
AHEAD_WITHIN_MS = 1_000
"""Nothing is fetched ahead so shortly before a turn ends: whoever has the next one would fetch it again."""
HEADERS: Needs = frozenset({Need.LABELS, Need.HEADERS})
ALL: Needs = frozenset(Need)


@dataclass(frozen=True, slots=True)
class Looked:
    """One event with what could be had of its message."""

    queued: Queued
    message: Message | None = None
    evaluation: Evaluation | None = None
    """None when it is not decided: `error` says why."""
    error: ProviderError | None = None
    patient: bool = True
    had: Needs = frozenset()
    """What was asked for, whether it came or was refused for good."""
    following: tuple[Event, ...] = ()
    """What comes into the lane in its place."""


class Hydrator:
    """Looks at one batch of events of one mailbox."""

    def __init__(
        self,
        provider: Provider,
        book: Rulebook,
        clock: Clock,
        end: int,
        doubt: int = 0,
        profiles: Profiles = NO_PROFILES,
        ahead: Ahead | None = None,
    ) -> None:
        self._provider, self._book, self._doubt, self._profiles = provider, book, doubt, profiles
        self._ahead = ahead or Ahead(provider)
        self._clock, self._now, self._end = clock, clock(), end
        self._needs_for = cache(book.rules.needs_for)
        self._threads = Threads(provider)
        self._limited: RateLimited | None = None
        """Once the service asks us to wait, nothing more is fetched: it would be fetched again anyway."""

    async def look(
        self, batch: Sequence[Queued], patient: Sequence[bool], coming: Sequence[Queued] = ()
    ) -> list[Looked]:
        """Look at all; where `patient` is False nothing more is waited for and the verdict is final.

        Who has nothing left to fetch begins with what is `coming` next, and does not wait for it.
        """
        found: dict[int, Looked] = {}
        left = iter(enumerate(zip(batch, patient, strict=True)))
        self._ahead.expect(self._calls_for(coming))

        async def lane() -> None:
            for index, pair in left:
                found[index] = await self._look(index, *pair)
            if not self._limited and self._clock() < self._end - AHEAD_WITHIN_MS:
                self._ahead.begin()

        await asyncio.gather(*(lane() for _ in range(min(FETCHES_AT_ONCE, len(batch)))))
        return [found[index] for index in range(len(batch))]

    async def more(self, short: Sequence[tuple[Looked, Needs]]) -> list[Looked]:
        """Fetch what turned out to be wanting of some messages once their turn in the batch had come."""
        left = iter(enumerate(short))
        found: dict[int, Looked] = {}

        async def lane() -> None:
            for index, (one, wanting) in left:
                found[index] = await self._safely(one.queued, one.patient, self._completed(one, wanting))

        await asyncio.gather(*(lane() for _ in range(min(FETCHES_AT_ONCE, len(short)))))
        return [found[index] for index in range(len(short))]

    def _calls_for(self, coming: Iterable[Queued]) -> Iterator[tuple[Wanted, str]]:
        """The first calls for messages, as `_message` will make them."""
        for queued in coming:
            event, needs = queued.event, self._first_needs(queued.event) - {Need.THREAD}
            if not needs <= {Need.LABELS}:
                yield Wanted(event.mailbox, event.key, needs), queued.trace

    async def _look(self, index: int, queued: Queued, patient: bool) -> Looked:
        if index and self._clock() >= self._end:
            # What is decided by now is committed first; the rest has its turn afterwards.
            self._limited = self._limited or RateLimited("the turn is over", until=0)
        if self._limited:
            return Looked(queued, error=self._limited)
        looked = await self._safely(queued, patient, self._judge(queued, patient))
        # The first message alone says nothing of the others: it may be the only one kept waiting.
        if index and isinstance(looked.error, RateLimited):
            self._limited = looked.error
        return looked

    async def _safely(self, queued: Queued, patient: bool, looking: Awaitable[Looked]) -> Looked:
        try:
            return await looking
        except MessageGone as gone:
            return Looked(queued, None, Evaluation(), gone)
        except ProviderError as error:
            if _is_final(error, patient):
                return Looked(queued, None, unjudged(str(error)), error)
            return Looked(queued, error=error)

    def _first_needs(self, event: Event) -> Needs:
        needs = self._needs_for(event.kind, event.mailbox)
        # Only headers tell whether a message that was listed, or went out too, is ours, and what a bounce is.
        unsure = not event.history or "SENT" in event.labels or may_be_bounce(event, self._book.rules)
        return needs | {Need.HEADERS} if unsure else needs

    async def _fetch_first(self, event: Event, needs: Needs, patient: bool) -> Message:
        """Fetch all at once; where that is refused for good, what the headers decide is still decided."""
        try:
            return await self._fetch(event, needs)
        except ProviderError as error:
            if not _is_final(error, patient) or needs <= HEADERS:
                raise
        return await self._fetch(event, HEADERS)

    async def _fetch(self, event: Event, needs: Needs, known: Message | None = None) -> Message:
        """Fetch a message, unless all but its thread is known, and what its thread tells of it."""
        message = known or await self._message(event, needs - {Need.THREAD})
        return await self._threads.joined(message) if Need.THREAD in needs and event.key else message

    async def _message(self, event: Event, needs: Needs) -> Message:
        """Fetch in one call, or not at all where the event itself says enough."""
        if not event.key:
            return no_message(event.mailbox)
        if event.kind is EventKind.MESSAGE_DELETED or needs <= {Need.LABELS}:
            return Message(event.key, event.mailbox, event.thread, frozenset(event.labels))
        with in_background() if not event.history else nullcontext():
            # What a listing brought up waited for long already: today's mail goes before it.
            message = await self._ahead.fetch(Wanted(event.mailbox, event.key, needs))
        return as_it_arrived(event, message, self._doubt)

    async def _judge(self, queued: Queued, patient: bool) -> Looked:
        """Judge; while a part is wanting, fetch that part and judge again."""
        event = queued.event
        if event.kind.scheduled and not event.key:
            found = await found_by(self._provider, self._book, event, self._now)
            return Looked(queued, None, Evaluation(), following=found)
        had = self._first_needs(event)
        message = await self._fetch_first(event, had, patient)
        evaluation = judge_once(self._book, event, message, self._now, profiles=self._profiles)
        had = ALL if event.kind is EventKind.MESSAGE_DELETED else had
        return await self._completed(
            Looked(queued, message, evaluation, patient=patient, had=had), wanting(evaluation)
        )

    async def _completed(self, one: Looked, wanted: Needs) -> Looked:
        """While a part is wanting, fetch that part and judge again."""
        event, message, evaluation, had = one.queued.event, one.message, one.evaluation, one.had
        while not wanted <= had:
            before = had
            known = message if wanted - had == {Need.THREAD} else None
            had |= wanted
            try:
                message = await self._fetch(event, had, known)
            except ProviderError as error:
                if not _is_final(error, one.patient and not _for_shadows(evaluation, wanted, before)):
                    raise
                break  # What was had before still decides the other rules.
            evaluation = judge_once(self._book, event, message, self._now, profiles=self._profiles)
            wanted = wanting(evaluation)
        if message and evaluation and evaluation.undecided and not evaluation.unread:
            evaluation = judge_once(
                self._book, event, message, self._now, profiles=self._profiles, final=True
            )
        if evaluation is one.evaluation and had is one.had:
            return one
        return replace(one, message=message, evaluation=evaluation, had=had)


def wanting(evaluation: Evaluation, *, shadows: bool = True) -> Needs:
    """What has to be read before all is decided: the guard reads the headers before any send.

    Without `shadows`, before all is decided on which something hangs.
    """
    needs = union(rule.needs for rule in evaluation.undecided if shadows or not rule.shadow)
    sends = any(isinstance(effect, SENDING) for match in evaluation.matches for effect in match.effects)
    return needs | {Need.HEADERS} if sends else needs


def _for_shadows(evaluation: Evaluation | None, wanted: Needs, had: Needs) -> bool:
    """Say whether only rules in shadow look at what is wanted: that keeps nothing waiting."""
    if evaluation is None or wanted != wanting(evaluation):
        return False
    return wanting(evaluation, shadows=False) <= had


def _is_final(error: ProviderError, patient: bool) -> bool:
    """Say whether waiting will not help, or has gone on for long enough."""
    if isinstance(error, (RateLimited, Unauthorized, MessageGone)):
        return False
    return isinstance(error, Rejected) or not patient


def judge_once(
    book: Rulebook,
    event: Event,
    message: Message,
    now_ms: int,
    memory: Memory = UNREAD,
    *,
    profiles: Profiles = NO_PROFILES,
    final: bool = False,
) -> Evaluation:
    """Judge one message; a defect of ours makes it undecided, never unmatched."""
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    try:
        if event.kind is SEND_REQUESTED:
            return judge_asked(event)
        evaluation = evaluate(book.rules, event, message, now, memory, final=final)
        bounce = bounce_match(book.rules, event, message, profiles)
        return replace(evaluation, matches=(*evaluation.matches, *bounce)) if bounce else evaluation
    except Exception as defect:  # noqa: BLE001 - one message must not stop a lane
        return judging_failed(defect)
