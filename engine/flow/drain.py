"""Decide what waits in a lane, commit the plan, then change labels."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from engine.errors import ProviderError, RateLimited, Unauthorized
from engine.flow.ahead import Ahead, fetchable, fetching_ahead
from engine.flow.doubt_batch import until_own_changes
from engine.flow.holding import Profiles
from engine.flow.hydrate import Hydrator, Looked
from engine.flow.labelling import Labelling, labelling
from engine.flow.labels import finish_groups
from engine.flow.mailboxes import Cursor
from engine.flow.memory import awaits_answers, until_same_thread, until_same_thread_read
from engine.flow.plan import LabelGroup
from engine.flow.ports import Provider
from engine.flow.prepare import LOOK_AGAIN_MS, Decided, Draining, prepare
from engine.flow.rulebook import Rulebook
from engine.flow.sift import RECEPTIONS, footsteps_of, sift
from engine.flow.stores import Lease, Queued
from engine.flow.telling import batch_decided, drain_span
from engine.flow.withdrawing import touched, withdrawals
from engine.mail.events import is_mailbox

BATCH = 200
SLICE_MS = 10_000
"""A drain goes on for about this long and then lets other lanes have a turn."""
PATIENCE_MS = 86_400_000
"""How long an event waits for a part that cannot be had."""
UNFINISHED = 200
"""With so many label groups waiting, nothing more is decided: the provider has to come back first."""
AHEAD = 32
"""So many messages behind a batch are fetched before it is committed: the lane's calls never pause."""
NO_RULES_MS = 2_000
INACTIVE_MS = 60_000
"""How long the lane of a mailbox that is not in use is left alone; its poll wakes it when that is over."""
OUTAGE_MS = 3_000


async def drain(draining: Draining, provider: Provider, lane: str) -> int | None:
    """Drain a lane for a while. Returns when to go on (epoch ms), or None when it sleeps."""
    async with draining.lanes.lease(lane) as lease:
        if lease is None:
            return None
        again = await _drain(draining, provider, lane, lease)
        if again:
            await draining.lanes.sleep_until(lane, lease, again, draining.clock())
        return again


async def _drain(draining: Draining, provider: Provider, lane: str, lease: Lease) -> int | None:
    profiles = await draining.mailboxes.profiles()
    if lane in profiles and not profiles[lane].active:
        return draining.clock() + INACTIVE_MS
    cursor = await draining.mailboxes.cursor(lane) or Cursor(0, 0, 0)
    if not is_mailbox(lane) and cursor.doubt < draining.clock():
        # Calls have no history: theirs is a time, up to which what was done for one may be forgotten.
        cursor = Cursor(0, 0, 0)
    end = draining.clock() + SLICE_MS
    finish = partial(finish_groups, draining.lanes, provider, lane, lease, draining.clock, end)
    async with labelling(finish) as calls, fetching_ahead(provider) as ahead:
        turn = Turn(lane, lease, end, profiles, cursor, ahead)
        return await _take_turn(draining, provider, turn, calls)


async def _take_turn(draining: Draining, provider: Provider, turn: Turn, calls: Labelling) -> int | None:
    """Decide batch after batch, while the label calls of the one before are under way."""
    lane, lease, clock = turn.lane, turn.lease, draining.clock
    while clock() < turn.end:
        # Together: a batch of quick calls takes little longer than a few round trips to Redis.
        groups, queued = await asyncio.gather(
            draining.lanes.groups(lane), draining.lanes.read(lane, BATCH, clock())
        )
        if groups:
            calls.begin()
        if len(groups) > UNFINISHED:
            unfinished = await calls.finish()
            if unfinished and len(unfinished.groups) > UNFINISHED:
                return unfinished.again
            continue
        book = draining.books.current()
        if book is None:
            return clock() + NO_RULES_MS
        if queued:
            with drain_span(lane, queued):
                again = await _decide(draining, provider, book, turn, queued, groups)
            if again:
                return again
            continue
        unfinished = await calls.finish()
        if await draining.lanes.rest(lane, lease, clock(), unfinished.again if unfinished else None):
            return None
    return clock()


@dataclass(frozen=True, slots=True)
class Turn:
    """One drain of a lane: under which lease, until when."""

    lane: str
    lease: Lease
    end: int
    profiles: Profiles
    cursor: Cursor
    ahead: Ahead


async def _decide(
    draining: Draining,
    provider: Provider,
    book: Rulebook,
    turn: Turn,
    queued: list[Queued],
    groups: Sequence[LabelGroup],
) -> int | None:
    """Decide one batch, behind label groups still to come, and commit it.

    Returns when to go on if the provider keeps us waiting.
    """
    now, lane = draining.clock(), turn.lane
    queued = until_own_changes(queued, turn.cursor.doubt)
    if by_thread := awaits_answers(book.rules, lane):
        queued = until_same_thread(queued, book.rules)
    keys = [one.event.key for one in queued if one.event.kind in RECEPTIONS]
    treads = [step for one in queued for step in footsteps_of(one.event)]
    judged, steps, behind = await asyncio.gather(
        draining.lanes.judged(lane, keys),
        draining.lanes.footsteps(lane, treads),
        _behind(draining, turn, queued, by_thread),
    )
    sifted = sift(queued, judged, steps, book.rules)
    coming = fetchable(behind, queued, groups, book.rules)
    patient = [not one.since or now - one.since < PATIENCE_MS for one in sifted.look]
    hydrator = Hydrator(
        provider, book, draining.clock, turn.end, turn.cursor.doubt, turn.profiles, turn.ahead
    )
    looked = await hydrator.look(sifted.look, patient, coming)
    decided, again = _until_kept_waiting(looked, now)
    if by_thread:
        decided = until_same_thread_read(decided)
    if decided and all(one.evaluation is None for one in decided) and not await _answers(provider, lane):
        decided, again = [], now + OUTAGE_MS
    late = looked[len(decided)].queued.entry if len(decided) < len(looked) else None
    taken = _before(queued, late)
    if taken:
        part = Decided(taken, sifted, judged, tuple(decided), turn.profiles, turn.cursor, tuple(groups))
        commit = await prepare(draining, book, lane, part, now, hydrator.more)
        await draining.drafts.stir(lane, touched(taken), now)
        needless = await withdrawals(draining.drafts, lane, taken, book.digest, now)
        commit = replace(commit, runs=(*commit.runs, *needless))
        await draining.lanes.commit(lane, turn.lease, commit, now)
        batch_decided(lane, decided, commit)
    return again


async def _behind(draining: Draining, turn: Turn, batch: Sequence[Queued], by_thread: bool) -> list[Queued]:
    """What comes next where the batch is full, and the next will not be cut short."""
    if len(batch) < BATCH or by_thread:
        return []
    return await draining.lanes.behind(turn.lane, batch[-1].entry, AHEAD)


async def _answers(provider: Provider, mailbox: str) -> bool:
    """Tell messages that cannot be had from a provider of which nothing can be had."""
    try:
        await provider.profile(mailbox)
    except ProviderError:
        return False
    return True


def _before(queued: list[Queued], late: str | None) -> tuple[Queued, ...]:
    """What may leave the lane when the batch is cut short: nothing behind the first that is late."""
    entries = [one.entry for one in queued]
    return tuple(queued[: entries.index(late)] if late else queued)


def _until_kept_waiting(looked: list[Looked], now: int) -> tuple[list[Looked], int | None]:
    """Cut the batch where the provider asks us to wait.

    A first message that is kept waiting while later ones were read is itself the trouble: it is put aside.
    """
    first = 1 if any(one.evaluation for one in looked) else 0
    for index, one in enumerate(looked):
        if one.evaluation is not None or index < first:
            continue
        if isinstance(one.error, RateLimited):
            return looked[:index], max(int(one.error.until * 1000), now + 50)
        if isinstance(one.error, Unauthorized):
            return looked[:index], now + LOOK_AGAIN_MS
    return looked, None
