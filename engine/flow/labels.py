"""Carry out label groups: first, together, in the order they were committed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from engine.deadline import DEADLINE
from engine.errors import MessageGone, ProviderError, RateLimited, Rejected, Unauthorized, Unavailable
from engine.flow.clock import Clock
from engine.flow.inverse import UNDO
from engine.flow.patience import again_at, patience
from engine.flow.plan import LabelGroup, RunLabels
from engine.flow.ports import Provider
from engine.flow.sift import footstep
from engine.flow.stores import Lanes, Lease, Settled, Tried
from engine.flow.telling import labels_settled, labels_span

LEASE_MARGIN_S = 1.0
"""No label call is begun when the lease could lapse this soon: somebody else may then hold the lane."""
SPLIT_AFTER = 4
SMALLEST = 10
CALLS_AT_ONCE = 8
PAUSE_MS = 60_000
FIRST_WAIT_MS, LONGEST_WAIT_MS = 500, 300_000


@dataclass(frozen=True, slots=True)
class Unfinished:
    """Groups that have to wait, and until when (epoch ms)."""

    groups: tuple[LabelGroup, ...]
    again: int


async def finish_groups(
    lanes: Lanes, provider: Provider, lane: str, lease: Lease, clock: Clock, end: int
) -> Unfinished | None:
    """Carry out every group of a lane that is due, until `end`, and give those that have to wait.

    A group waits for earlier ones of the same message.
    """
    while groups := await lanes.groups(lane):
        ready = _ready(groups, clock())[:CALLS_AT_ONCE]
        if not ready:
            return Unfinished(tuple(groups), min(group.again for group in groups if group.again))
        if clock() >= end:
            return Unfinished(tuple(groups), clock())
        record = _Record(lanes, lane, lease, clock)
        calls = (_carry_out(provider, lane, lease, group, record) for group in ready)
        # Every call comes to its end before anything else happens: none may outlive the lease.
        for outcome in await asyncio.gather(*calls, return_exceptions=True):
            if outcome is not None:
                raise outcome
    return None


def _ready(groups: Sequence[LabelGroup], now: int) -> list[LabelGroup]:
    """Groups that are due and share no message with an earlier one."""
    ready: list[LabelGroup] = []
    earlier: set[str] = set()
    for group in groups:
        if group.again <= now and earlier.isdisjoint(group.keys):
            ready.append(group)
        earlier.update(group.keys)
    return ready


class _Record:
    """Writes down what came of calls; answers that come while others are written go together."""

    def __init__(self, lanes: Lanes, lane: str, lease: Lease, clock: Clock) -> None:
        self._lanes, self._lane, self._lease, self._clock = lanes, lane, lease, clock
        self._tried: list[Tried] = []
        self._turn = asyncio.Lock()

    async def write(self, group: LabelGroup, error: ProviderError | None) -> None:
        self._tried.append(_tried(group, error, self._clock()))
        async with self._turn:
            tried, self._tried = self._tried, []
            if not tried:
                return  # It went with others, whose caller has heard if it could not be written.
            await self._lanes.settle_groups(self._lane, self._lease, tried, self._clock())
        for one in tried:
            labels_settled(self._lane, one.group, one.settled)


async def _carry_out(provider: Provider, lane: str, lease: Lease, group: LabelGroup, record: _Record) -> None:
    await record.write(group, await _attempt(provider, lane, group, lease))


async def _attempt(provider: Provider, lane: str, group: LabelGroup, lease: Lease) -> ProviderError | None:
    token = DEADLINE.set(lease.lapses - LEASE_MARGIN_S)
    try:
        with labels_span(lane, group):
            await provider.change_labels(lane, group.keys, group.add, group.remove)
    except ProviderError as error:
        return error
    finally:
        DEADLINE.reset(token)
    return None


def _tried(group: LabelGroup, error: ProviderError | None, now: int) -> Tried:
    """Say what came of it; sends go ahead after the first attempt, whatever its outcome."""
    opened = tuple(part.run for part in _parts(group) if part.more)
    if error is None:
        settled = tuple(_settled(group, {"outcome": "done"}))
    elif not isinstance(error, (Rejected, MessageGone)) and now - (group.since or now) < patience(error):
        return Tried(group, opened=opened, instead=_once_more(group, error, now))
    elif len(group.keys) > 1:
        return Tried(group, instead=_halves(group))
    else:
        settled = tuple(_settled(group, *_refusal(error)))
    return Tried(group, settled, opened, footsteps=_footsteps(group))


def _refusal(error: ProviderError) -> tuple[Mapping[str, str], bool]:
    if isinstance(error, MessageGone):
        return {"outcome": "skipped", "why": "the message is gone"}, False
    return {"outcome": "failed", "why": str(error)}, True


def _again(error: ProviderError, since: int, now: int) -> int:
    if isinstance(error, RateLimited):
        return max(int(error.until * 1000), now + 50)
    if isinstance(error, Unauthorized):
        return now + PAUSE_MS
    return again_at(since, now, FIRST_WAIT_MS, LONGEST_WAIT_MS)


def _once_more(group: LabelGroup, error: ProviderError, now: int) -> tuple[LabelGroup, ...]:
    """The group once more; in halves where it may be too large to be done before a lease could lapse."""
    since = group.since or now
    tried = {"tries": group.tries + 1, "since": since, "again": _again(error, since, now)}
    splits = isinstance(error, Unavailable) and (group.tries + 1) % SPLIT_AFTER == 0
    parts = _halves(group) if splits and len(group.keys) > SMALLEST else (group,)
    return tuple(part.model_copy(update=tried) for part in parts)


def _halves(group: LabelGroup) -> tuple[LabelGroup, ...]:
    middle = len(group.keys) // 2
    return _part(group, group.keys[:middle]), _part(group, group.keys[middle:])


def _part(group: LabelGroup, keys: tuple[str, ...]) -> LabelGroup:
    return group.model_copy(update={"keys": keys, "runs": {key: group.runs[key] for key in keys}})


def _parts(group: LabelGroup) -> Iterator[RunLabels]:
    for parts in group.runs.values():
        yield from parts


def _settled(group: LabelGroup, receipt: Mapping[str, str], failed: bool = False) -> Iterator[Settled]:
    for part in _parts(group):
        for at, step in enumerate(part.steps):
            back = {UNDO: part.back[at]} if part.back and receipt["outcome"] == "done" else {}
            yield Settled(part.run, step, {**receipt, **back}, failed)


def _footsteps(group: LabelGroup) -> tuple[str, ...]:
    signed = [("+", label) for label in group.add] + [("-", label) for label in group.remove]
    return tuple(footstep(key, sign, label) for key in group.keys for sign, label in signed)
