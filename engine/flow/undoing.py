"""Take runs back: labels as they were, files and drafts gone, whatever a person did since left alone.

It goes on under the lane's lease, some messages at a time, so that no batch is decided and no label group is
carried out meanwhile. Whoever does so may be ended at any moment, and goes on by doing it again: what is as
it was before is left, and a run is marked only once all of it is done.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace

from engine.errors import LeaseLost, PostroomError
from engine.flow.bundles import Bundle, bundles, keys_of
from engine.flow.cancelling import cancellations, cancelled, scheduled_by
from engine.flow.giving_up import BY_DRAFT, given_up, told, waiting_steps, waits_by_draft
from engine.flow.listing import patiently
from engine.flow.recorded import Recorded, Undone
from engine.flow.relabelling import read_labels, relabel
from engine.flow.stores import Lease
from engine.flow.taking_back import Taken, files_of, items_of, suppressions_of, take_back
from engine.flow.touches import SETTLED, Aims, Change, aims_of, change_of, touches
from engine.flow.undoings import Undoing
from engine.flow.undrafting import drafts_of, take_drafts_back

LONGEST_RUN_MS = 86_400_000
"""A run that began this long before another may still have changed labels after it."""
PATIENCE_S = 120.0
PAUSE_S = 0.05
TRIES = 3
MOST_TOLD = 20
"""Of what was left, so much is written into the journal."""


BUSY = "a step of its run is under way, or may have been done already: undo it again when that is settled"


@dataclass(frozen=True, slots=True)
class Restored:
    """What is done about one message."""

    mailbox: str
    key: str
    rules: tuple[str, ...]
    change: Change
    others: tuple[Taken, ...]
    """What becomes of files and drafts."""
    failed: str = ""
    """What the service said where it refused."""

    @property
    def left(self) -> tuple[str, ...]:
        """What is left as it is, and why."""
        return (*self.change.left, *(f"{one.what}: {one.left}" for one in self.others if one.left))


def undoable(recorded: Recorded) -> str:
    """Say why a run is not undone; "" where it is."""
    if recorded.undone:
        return "it is undone already"
    if recorded.run.shadow:
        return "it did nothing: its rule was in shadow"
    if waiting_steps(recorded):
        return ""
    if waits_by_draft(recorded):
        return BY_DRAFT
    if recorded.state not in SETTLED:
        return "it is still under way"
    return "" if _changes(recorded) else "it changed nothing that can be taken back"


def _changes(recorded: Recorded) -> bool:
    labels = any(one.before is not one.on for one in touches(recorded, {}))
    beside = (drafts_of, files_of, items_of, scheduled_by, suppressions_of)
    return labels or any(True for of in beside for _ in of(recorded))


async def undo(undoing: Undoing, chosen: Sequence[Recorded], *, acts: bool) -> AsyncIterator[Restored]:
    """Undo runs, the newest first, and tell of every message; without `acts`, only tell."""
    for bundle in bundles(chosen):
        for one in await (_in_turn(undoing, bundle) if acts else _undo(undoing, bundle, None)):
            yield one


async def _in_turn(undoing: Undoing, bundle: Bundle) -> list[Restored]:
    """Undo a bundle under the lane's lease; once it is lost, or given back, what was done is found done."""

    async def once() -> list[Restored]:
        for _ in range(TRIES):
            with suppress(LeaseLost):
                async with _turn(undoing, bundle.mailbox) as lease:
                    return await _undo(undoing, bundle, lease)
        raise PostroomError(f"the lane of {bundle.mailbox} is taken over time and again: do it again later")

    return await patiently(once, background=False)


@asynccontextmanager
async def _turn(undoing: Undoing, lane: str) -> AsyncIterator[Lease]:
    """Wait for the lane's lease. Raises PostroomError where it does not become free."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        async with undoing.store.lease(lane) as lease:
            if lease is not None:
                yield lease
                return
        await asyncio.sleep(PAUSE_S)
    raise PostroomError(f"{lane} is busy, or all is halted: see `postroom status`, then do it again")


async def _undo(undoing: Undoing, bundle: Bundle, lease: Lease | None) -> list[Restored]:
    """Undo what is still to be undone of a bundle; without a lease, tell what would be done."""
    before = {one.run.id: one for one in bundle.runs}
    runs = [replace(one, state="done") for one in bundle.runs]
    busy: list[Recorded] = []
    if lease:
        runs, busy = await _settled(undoing, bundle, lease)
    changes = await _planned(undoing, bundle, runs, lease)
    later = await cancellations(undoing, bundle.mailbox, runs, lease)
    refused = await relabel(undoing, bundle.mailbox, changes | later, lease) if lease else {}
    in_use = await _in_use(undoing, runs)
    others: dict[str, tuple[Taken, ...]] = {}
    for one in runs:
        left = undoing.folders, undoing.summaries, undoing.suppressions
        taken = await take_back(*left, one, in_use, acts=lease is not None)
        drafts = await take_drafts_back(undoing, one, lease)
        others[one.run.id] = (
            *told(before[one.run.id], one),
            *cancelled(one, later, refused),
            *drafts,
            *taken,
        )
    own: dict[str, list[Recorded]] = defaultdict(list)
    for one in runs:
        for key in keys_of(one):
            own[key].append(one)
    found = [_told(bundle.mailbox, key, own[key], change, others, refused) for key, change in changes.items()]
    if lease:
        await undoing.store.mark(bundle.mailbox, lease, _marks(undoing, runs, found), undoing.clock())
    return found + [
        Restored(one.run.mailbox, one.run.key, (one.run.rule,), Change(), (), BUSY) for one in busy
    ]


async def _settled(undoing: Undoing, bundle: Bundle, lease: Lease) -> tuple[list[Recorded], list[Recorded]]:
    """Give up what waits; give the runs as they are then, and those that are under way again."""
    at = undoing.clock()
    waiting = {one.run.id: given_up(one, undoing.by, at) for one in bundle.runs if waiting_steps(one)}
    if waiting:
        await undoing.store.give_up(bundle.mailbox, lease, waiting, at)
    now = [await undoing.store.get(one.run.id) for one in bundle.runs]
    found = [one for one in now if one and not one.undone]
    settled = [one for one in found if one.state in SETTLED]
    wanted = [one for one in settled if one.run.id in waiting or not undoable(one)]
    return wanted, [one for one in found if one.state not in SETTLED]


async def _in_use(undoing: Undoing, runs: Sequence[Recorded]) -> set[tuple[str, str]]:
    """Name the files that other runs count on, if any is to be removed at all."""
    saving = [one for one in runs if any(True for _ in files_of(one))]
    if not saving:
        return set()
    since = int(min(one.run.created for one in saving) * 1000)
    return await undoing.store.saving(frozenset(one.run.id for one in runs), since)


def _told(
    mailbox: str,
    key: str,
    runs: Sequence[Recorded],
    change: Change,
    others: Mapping[str, Sequence[Taken]],
    refused: Mapping[str, str],
) -> Restored:
    rules = tuple(dict.fromkeys(one.run.rule for one in runs))
    taken = tuple(each for one in runs if one.run.key == key for each in others[one.run.id])
    return Restored(mailbox, key, rules, change, taken, refused.get(key, ""))


def _marks(undoing: Undoing, runs: Sequence[Recorded], told: Sequence[Restored]) -> dict[str, Undone]:
    """Those runs of which nothing is left to do, each with what was left of it."""
    found: dict[str, Undone] = {}
    by_key = {one.key: one for one in told}
    for run in runs:
        own = [by_key[key] for key in sorted(keys_of(run)) if key in by_key]
        left = [f"{one.key}: {why}" for one in own for why in one.left]
        if not any(one.failed or any(each.failed for each in one.others) for one in own):
            found[run.run.id] = Undone(undoing.clock(), undoing.by, tuple(left[:MOST_TOLD]))
    return found


async def _planned(
    undoing: Undoing, bundle: Bundle, runs: Sequence[Recorded], lease: Lease | None
) -> dict[str, Change]:
    """Say what becomes of each message's labels, as they are now."""
    if not runs:
        return {}
    threads = {one.run.thread for one in runs} - {""}
    since = int(min(one.run.created for one in runs) * 1000) - LONGEST_RUN_MS
    others = await undoing.store.touching(bundle.mailbox, bundle.keys, threads, since)
    ids = {one.run.id for one in runs}
    fellows: dict[str, set[str]] = defaultdict(set)
    for one in runs:
        fellows[one.run.thread] |= keys_of(one)
    known = {one.run.id: one for one in [*others, *runs]}
    aims = aims_of((each for one in known.values() for each in touches(one, fellows)), ids)
    keys = sorted({key for one in runs for key in keys_of(one)})
    labels = await read_labels(undoing, bundle.mailbox, [key for key in keys if key], lease)
    # A call brought no message: its runs may have added to summaries alone.
    return {key: _change(aims.get(key, Aims()), labels[key]) if key else Change() for key in keys}


def _change(aims: Aims, labels: frozenset[str] | None) -> Change:
    if labels is None:
        return Change(left=("the message is gone",) if aims.aims else ())
    return change_of(aims, labels)
