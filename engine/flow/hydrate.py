"""Fetch what the rules need, several messages at a time, and judge."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import cache, partial

from engine.errand import in_background
from engine.errors import MessageGone, ProviderError, RateLimited, Rejected, Unauthorized
from engine.flow.ahead import Ahead, Wanted
from engine.flow.clock import Clock
from engine.flow.doubt_batch import as_it_arrived
from engine.flow.holding import NO_PROFILES, Profiles
from engine.flow.judging import judge_once, wanting
from engine.flow.ports import Provider
from engine.flow.rulebook import Rulebook
from engine.flow.scheduling import found_by
from engine.flow.sift import may_be_bounce
from engine.flow.stores import Queued
from engine.flow.threads import Threads
from engine.mail.events import Event, EventKind
from engine.mail.message import Message, no_message
from engine.mail.needs import Need, Needs
from engine.rules.evaluation import Evaluation, unjudged

FETCHES_AT_ONCE = 16
TOGETHER = 12
"""So many messages that were fetched are judged one after the other, while further ones are on their way."""
LONGEST_S = 0.005
"""After so long a time of judging, others have a turn."""
AHEAD_WITHIN_MS = 1_000
"""Nothing is fetched ahead so shortly before a turn ends: whoever has the next one would fetch it again."""
HEADERS: Needs = frozenset({Need.LABELS, Need.HEADERS})
ALL: Needs = frozenset(Need)

Todo = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Looked:
    """One event with what could be had of its message."""

    queued: Queued
    message: Message | None = None
    evaluation: Evaluation | None = None
    """None when it is not decided, or not yet: `error` says why."""
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
        self._found: dict[int, Looked] = {}
        self._unjudged: list[tuple[int, Message]] = []
        self._todo: deque[Todo] = deque()
        """Empty in the end: what stands there holds this object, which would outlive its batch."""
        self._limited: RateLimited | None = None
        """Once the service asks us to wait, nothing more is fetched: it would be fetched again anyway."""

    async def look(
        self, batch: Sequence[Queued], patient: Sequence[bool], coming: Sequence[Queued] = ()
    ) -> list[Looked]:
        """Look at all; where `patient` is False nothing more is waited for and the verdict is final.

        Who has nothing left to fetch begins with what is `coming` next, and does not wait for it.
        """
        self._ahead.expect(self._calls_for(coming))
        each = enumerate(zip(batch, patient, strict=True))
        self._todo.extend(partial(self._look, index, *pair) for index, pair in each)
        await _work_off(self._todo, self._begin_ahead)
        await self._judge_fetched()
        await _work_off(self._todo)
        return [self._found[index] for index in range(len(batch))]

    async def more(self, short: Sequence[tuple[Looked, Needs]]) -> list[Looked]:
        """Fetch what turned out to be wanting of some messages once their turn in the batch had come."""
        found: dict[int, Looked] = {}

        async def look(index: int, one: Looked, wanted: Needs) -> None:
            found[index] = await self._safely(one.queued, one.patient, self._completed(one, wanted))

        await _work_off(deque(partial(look, index, *each) for index, each in enumerate(short)))
        return [found[index] for index in range(len(short))]

    def _begin_ahead(self) -> None:
        if not self._limited and self._clock() < self._end - AHEAD_WITHIN_MS:
            self._ahead.begin()

    def _calls_for(self, coming: Iterable[Queued]) -> Iterator[tuple[Wanted, str]]:
        """The first calls for messages, as `_message` will make them."""
        for queued in coming:
            event, needs = queued.event, self._first_needs(queued.event) - {Need.THREAD}
            if not needs <= {Need.LABELS}:
                yield Wanted(event.mailbox, event.key, needs), queued.trace

    async def _look(self, index: int, queued: Queued, patient: bool) -> None:
        """Fetch a message, and judge it with others once there are enough; `look` judges the last ones."""
        if index and self._clock() >= self._end:
            # What is decided by now is committed first; the rest has its turn afterwards.
            self._limited = self._limited or RateLimited("the turn is over", until=0)
        if self._limited:
            self._found[index] = Looked(queued, error=self._limited)
            return
        found = await self._kept(index, queued, patient, self._read(queued, patient))
        if found.message and found.evaluation is None:
            self._unjudged.append((index, found.message))
            if len(self._unjudged) >= TOGETHER and self._todo:
                await self._judge_fetched()

    async def _complete(self, index: int, wanted: Needs) -> None:
        """Fetch what is wanting of a message that was judged once, however late it is: it was begun."""
        one = self._found[index]
        await self._kept(index, one.queued, one.patient, self._completed(one, wanted))

    async def _kept(self, index: int, queued: Queued, patient: bool, looking: Awaitable[Looked]) -> Looked:
        found = self._found[index] = await self._safely(queued, patient, looking)
        # The first message alone says nothing of the others: it may be the only one kept waiting.
        if index and isinstance(found.error, RateLimited):
            self._limited = found.error
        return found

    async def _judge_fetched(self) -> None:
        """Judge what was fetched: in a row, that takes less of the processor than between calls.

        What is wanting of these comes before further messages: a turn that is cut short then has some done.
        """
        those, self._unjudged = self._unjudged, []
        short: list[Todo] = []
        pause = time.monotonic() + LONGEST_S
        for index, message in those:
            one = self._found[index]
            evaluation = self._judged(one.queued.event, message)
            self._found[index] = Looked(one.queued, message, evaluation, None, one.patient, one.had)
            wanted = wanting(evaluation)
            if not wanted <= one.had or _can_be_final(evaluation):
                short.append(partial(self._complete, index, wanted))
            if time.monotonic() > pause:
                await asyncio.sleep(0)
                pause = time.monotonic() + LONGEST_S
        self._todo.extendleft(reversed(short))

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
        with in_background() if not event.history else nullcontext():
            # What a listing brought up waited for long already: today's mail goes before it.
            message = known or await self._message(event, needs - {Need.THREAD})
            return await self._threads.joined(message) if Need.THREAD in needs and event.key else message

    async def _message(self, event: Event, needs: Needs) -> Message:
        """Fetch in one call, or not at all where the event itself says enough."""
        if not event.key:
            return no_message(event.mailbox)
        if event.kind is EventKind.MESSAGE_DELETED or needs <= {Need.LABELS}:
            return Message(event.key, event.mailbox, event.thread, frozenset(event.labels))
        message = await self._ahead.fetch(Wanted(event.mailbox, event.key, needs))
        return as_it_arrived(event, message, self._doubt)

    async def _read(self, queued: Queued, patient: bool) -> Looked:
        """Fetch what is needed at first; what concerns no message is decided at once."""
        event = queued.event
        if event.kind.scheduled and not event.key:
            found = await found_by(self._provider, self._book, event, self._now)
            return Looked(queued, None, Evaluation(), following=found)
        had = self._first_needs(event)
        message = await self._fetch_first(event, had, patient)
        had = ALL if event.kind is EventKind.MESSAGE_DELETED else had
        return Looked(queued, message, patient=patient, had=had)

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
            evaluation = self._judged(event, message)
            wanted = wanting(evaluation)
        if message and evaluation and _can_be_final(evaluation):
            evaluation = self._judged(event, message, final=True)
        if evaluation is one.evaluation and had is one.had:
            return one
        return replace(one, message=message, evaluation=evaluation, had=had)

    def _judged(self, event: Event, message: Message, *, final: bool = False) -> Evaluation:
        return judge_once(self._book, event, message, self._now, profiles=self._profiles, final=final)


async def _work_off(todo: deque[Todo], then: Callable[[], None] | None = None) -> None:
    """Do all, several at a time; whoever finds nothing left does what comes then."""

    async def lane() -> None:
        while todo:
            await todo.popleft()()
            # All that were answered in one turn of the loop are read before any of them asks anew: steps of
            # one kind in a row take less of the processor.
            await asyncio.sleep(0)
        if then:
            then()

    await asyncio.gather(*(lane() for _ in range(min(FETCHES_AT_ONCE, len(todo)))))


def _can_be_final(evaluation: Evaluation) -> bool:
    """Say whether rules are left open that are settled by saying that nothing more comes."""
    return bool(evaluation.undecided) and not evaluation.unread


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
