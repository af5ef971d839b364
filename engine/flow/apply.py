"""Apply rules to mail that is there already: list it, preview the plan, then hand it to the lane.

The lane decides once more, by the same function, with the same guard and the same journal, and only while
the rules are those of the preview. Events are handed over a few at a time, so that new mail never waits
behind many of them; whoever does so may be ended at any moment, and goes on by doing it again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from engine.errand import in_background
from engine.errors import MessageGone, RateLimited
from engine.flow.clock import Clock
from engine.flow.holding import Profiles
from engine.flow.hydrate import Hydrator, Looked
from engine.flow.listing import wait_for
from engine.flow.mailboxes import Cursor
from engine.flow.memory import awaits_answers, until_same_thread_read
from engine.flow.plan import Run
from engine.flow.ports import Provider
from engine.flow.prepare import Decided, prepare
from engine.flow.rulebook import Rulebook
from engine.flow.shadow import Shadow, Trial
from engine.flow.sift import Sifted
from engine.flow.stores import Commit, Lanes, Queued
from engine.mail.events import Event, EventKind, is_outbound
from engine.mail.message import Message

BATCH = 200
IN_THE_LANE = 50
"""How many events of ours may lie in the lane at a time."""
LATELY_MS = 300_000
"""What arrived this short a time before the last read of the history is left to be judged as it came."""
FOREVER = 1 << 62


class Records(Protocol):
    """What the store knows of messages."""

    async def judged_rules(self, mailbox: str, keys: Sequence[str]) -> dict[str, tuple[str, ...]]: ...

    async def queued_keys(self, lane: str) -> frozenset[str]: ...

    async def run_states(self, runs: Sequence[str]) -> dict[str, str]: ...


@dataclass(frozen=True)
class Wish:
    """What a person asks for."""

    mailbox: str
    since: datetime
    only: str = ""
    """The one rule that is applied, "" for all."""
    sends: bool = False
    """Whether what is applied may also send."""

    def event(self, key: str, digest: str) -> Event:
        """The event that lets the lane judge a message once more."""
        return Event(
            EventKind.MESSAGE_RECEIVED,
            self.mailbox,
            0,
            key,
            applied=digest,
            only=self.only,
            sends=self.sends,
        )


@dataclass(frozen=True)
class Applying:
    """What applying needs."""

    lanes: Lanes
    records: Records
    provider: Provider
    book: Rulebook
    cursor: Cursor
    profiles: Profiles
    clock: Clock
    configured: frozenset[str]
    answer_within: int


@dataclass(frozen=True, slots=True)
class Planned:
    """One message of a preview, and what would be done with it."""

    key: str
    message: Message | None = None
    runs: tuple[Run, ...] = ()
    left: str = ""
    """Why it is left alone; "" where it is judged."""


@dataclass
class Tried:
    """A preview, as it comes about."""

    messages: int = 0
    """Those that were judged."""
    left: dict[str, int] = field(default_factory=dict)
    """How many were left alone, by the reason."""
    keys: list[str] = field(default_factory=list)
    """What is to be handed to the lane, the oldest first."""
    runs: list[str] = field(default_factory=list)
    """Ids of the runs that would be."""

    def add(self, planned: Planned, *, remembers: bool) -> None:
        if planned.left:
            self.left[planned.left] = self.left.get(planned.left, 0) + 1
            return
        self.messages += 1
        self.runs += [run.id for run in planned.runs]
        if planned.runs or remembers:
            self.keys.append(planned.key)


OLDER, NEWER, GONE = "arrived before", "judged as it comes", "gone meanwhile"
OUTBOUND, TRASHED = "went out from here", "in the trash"


async def preview(applying: Applying, wish: Wish, keys: Sequence[str]) -> AsyncIterator[Planned]:
    """Plan for each message what the lane will plan, in its order, and write nothing."""
    shadow = Shadow(applying.lanes)
    trial = Trial(shadow, applying.configured, applying.answer_within)
    queued_keys = await applying.records.queued_keys(wish.mailbox)
    for start in range(0, len(keys), BATCH):
        some = keys[start : start + BATCH]
        judged = await applying.records.judged_rules(wish.mailbox, some)
        looked, wanted = await _look(applying, wish, some), []
        for one in looked:
            if left := _left(one, wish, applying.cursor, judged.keys(), queued_keys):
                yield Planned(one.queued.event.key, left=left)
            else:
                wanted.append(one)
        while wanted:
            part = (
                until_same_thread_read(wanted)
                if awaits_answers(applying.book.rules, wish.mailbox)
                else wanted
            )
            commit = await _plan(applying, trial, wish, part)
            shadow.absorb(commit)
            for one in part:
                yield Planned(one.queued.event.key, one.message, _runs_of(commit, one))
            wanted = wanted[len(part) :]


def _runs_of(commit: Commit, one: Looked) -> tuple[Run, ...]:
    return tuple(run for run in commit.runs if run.key == one.queued.event.key)


async def _plan(applying: Applying, trial: Trial, wish: Wish, part: Sequence[Looked]) -> Commit:
    taken = tuple(one.queued for one in part)
    decided = Decided(
        taken, Sifted(taken, (), ()), frozenset(), tuple(part), applying.profiles, applying.cursor
    )
    hydrator = Hydrator(applying.provider, applying.book, applying.clock, FOREVER)
    now = applying.clock()
    return await prepare(trial, applying.book, wish.mailbox, decided, now, hydrator.more)


async def _look(applying: Applying, wish: Wish, keys: Sequence[str]) -> list[Looked]:
    """Look at messages as the lane does; where the service asks us to wait, wait."""
    digest = applying.book.rules.digest
    queued = [Queued(str(at), wish.event(key, digest), 0) for at, key in enumerate(keys)]
    found: dict[str, Looked] = {}
    while queued:
        hydrator = Hydrator(applying.provider, applying.book, applying.clock, FOREVER)
        with in_background():
            looked = await hydrator.look(queued, [True] * len(queued))
        late = [one for one in looked if isinstance(one.error, RateLimited)]
        found |= {one.queued.entry: one for one in looked if one not in late}
        queued = [one.queued for one in late]
        if late:
            errors = (one.error for one in late if isinstance(one.error, RateLimited))
            await wait_for(max(errors, key=lambda error: error.until))
    return [found[str(at)] for at in range(len(keys))]


def _left(one: Looked, wish: Wish, cursor: Cursor, judged: Collection[str], queued: frozenset[str]) -> str:
    """Say why a message is not judged here, "" if it is."""
    message, key = one.message, one.queued.event.key
    if isinstance(one.error, MessageGone):
        return GONE
    if message is None:
        return f"not to be had now: {one.error}"
    if message.received is not None and message.received < wish.since:
        return OLDER
    if is_outbound(message.labels):
        return OUTBOUND
    if "TRASH" in message.labels:
        return TRASHED
    read = datetime.fromtimestamp((cursor.read - LATELY_MS) / 1000, UTC)
    late = message.received is None or message.received >= read
    return NEWER if key not in judged and (key in queued or late) else ""


async def hand_over(
    applying: Applying, wish: Wish, keys: Sequence[str], pause_s: float = 0.1
) -> AsyncIterator[int]:
    """Give the lane its events, a few at a time; gives how many it has taken up so far."""
    digest = applying.book.rules.digest
    for start in range(0, len(keys), IN_THE_LANE):
        some = keys[start : start + IN_THE_LANE]
        events = [wish.event(key, digest) for key in some]
        first, last = await applying.lanes.offer(wish.mailbox, events, applying.clock())
        while not await applying.lanes.taken_up(wish.mailbox, first, last):
            yield start
            await asyncio.sleep(pause_s)
        yield start + len(some)
