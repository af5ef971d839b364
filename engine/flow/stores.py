"""What the flow asks of the store, declared by the one who asks. Times are epoch milliseconds."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

from engine.flow.content import Content
from engine.flow.plan import LabelGroup, Run
from engine.flow.timers import Timer
from engine.mail.events import Event
from engine.rules.memory import Kept


@dataclass(frozen=True, slots=True)
class Queued:
    """An event that waits to be decided."""

    entry: str
    """Its place in the lane."""
    event: Event
    read: int
    """When the complete history read before the one that found it began; 0 when there was none."""
    since: int = 0
    """When it began to wait for a part that could not be had; 0 when it never did."""
    trace: str = ""
    """The traceparent of what brought it here."""


class Lease(Protocol):
    """The right to drain a lane, or to poll a mailbox. It lapses unless renewed."""

    token: str
    turn: asyncio.Lock
    """What is written under it is written one after another."""

    @property
    def lapses(self) -> float:
        """When it lapses unless renewed, in epoch seconds."""
        ...


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What commit records of one judged message."""

    key: str
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Commit:
    """All that one drain decided, written in one step or not at all."""

    done: tuple[Queued, ...]
    """Entries that are decided."""
    waiting: tuple[tuple[Queued, int], ...] = ()
    """Entries put aside, each with the time to look again."""
    judged: tuple[Verdicts, ...] = ()
    digest: str = ""
    runs: tuple[Run, ...] = ()
    groups: tuple[LabelGroup, ...] = ()
    once: Mapping[str, int] = field(default_factory=dict)
    """Once-keys newly taken, each with its window in ms."""
    footsteps: tuple[str, ...] = ()
    """Label changes that will come back as history records."""
    heard: tuple[str, ...] = ()
    """Footsteps that did come back."""
    doubtful: frozenset[str] = frozenset()
    """Runs whose steps may have been done before writes were lost."""
    memory: Mapping[str, tuple[Kept, int]] = field(default_factory=dict)
    """What rules remember, by key, each with how long it lives in ms."""
    timers: tuple[Timer, ...] = ()
    """What is to happen later."""
    following: tuple[Event, ...] = ()
    """What comes into the lane because of what is decided."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of one step of one run."""

    run: str
    step: int
    receipt: Mapping[str, str]
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of one try of a label group."""

    group: LabelGroup
    settled: tuple[Settled, ...] = ()
    opened: tuple[str, ...] = ()
    """Runs that go on."""
    instead: tuple[LabelGroup, ...] = ()
    """What takes its place on the list."""
    footsteps: tuple[str, ...] = ()
    """Those of its footsteps that were answered."""


class Memories(Protocol):
    """What was done and seen before, as planning asks for it."""

    async def once(self, keys: Sequence[str]) -> Mapping[str, str]:
        """Those of the keys that are taken; one that `recover` found is told with the run that took it."""
        ...

    async def recall(self, lane: str, keys: Sequence[str]) -> dict[str, Kept]:
        """What rules remember under each of the keys."""
        ...

    async def recorded(self, runs: Sequence[str]) -> dict[str, Run | None]:
        """Each of the runs as the journal has it, None where it has none."""
        ...


class Lanes(Memories, Protocol):
    """Events in order, one drain at a time."""

    def lease(self, lane: str) -> AbstractAsyncContextManager[Lease | None]:
        """Take the lane and keep it renewed; None when somebody else has it."""
        ...

    async def read(self, lane: str, count: int, now: int) -> list[Queued]:
        """The oldest events, those first whose waiting is over."""
        ...

    async def behind(self, lane: str, entry: str, count: int) -> list[Queued]:
        """The events that came next after one."""
        ...

    async def judged(self, mailbox: str, keys: Sequence[str]) -> frozenset[str]: ...

    async def footsteps(self, mailbox: str, steps: Sequence[str]) -> dict[str, int]:
        """When the call behind each footstep was answered, 0 while it is under way."""
        ...

    async def offer(self, lane: str, events: Sequence[Event], now: int) -> tuple[str, str]:
        """Put events that a person asks for behind what waits in a lane, and wake it.

        Gives the places of the first and the last.
        """
        ...

    async def taken_up(self, lane: str, first: str, last: str) -> bool:
        """Whether nothing from `first` to `last` lies in the lane any more; it may have been put aside."""
        ...

    async def commit(self, lane: str, lease: Lease, commit: Commit, now: int) -> None:
        """Write it all. Raises LeaseLost and then has written nothing."""
        ...

    async def groups(self, lane: str) -> list[LabelGroup]:
        """Label groups not yet settled, oldest first."""
        ...

    async def settle_groups(self, lane: str, lease: Lease, tried: Sequence[Tried], now: int) -> None:
        """Write down what came of label groups, all or none."""
        ...

    async def rest(self, lane: str, lease: Lease, now: int, again: int | None = None) -> bool:
        """Let the lane sleep if nothing is left; otherwise say False.

        Events wake it at once. With `again`, its open groups are due then, and it is woken for them.
        """
        ...

    async def sleep_until(self, lane: str, lease: Lease, until: int, now: int) -> None:
        """Wake the lane at `until` and not before."""
        ...


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to carry out the next step of a run before a deadline."""

    run: Run
    nonce: str
    step: int | None
    """The next step; None when only label changes are left, which are the lane's business."""
    deadline: int
    attempt: int
    unknown: bool
    """Whether an earlier attempt may have worked."""
    looks: int
    """How often that was looked up in vain."""
    receipts: Mapping[int, Mapping[str, str]]
    since: int = 0
    """When the run began, or was opened again."""
    failing: int = 0
    """Since when the step fails; 0 when it has not failed yet."""
    doubtful: bool = False
    """Whether each of its steps may have been done before writes were lost."""
    notes: Mapping[int, str] = field(default_factory=dict)
    """What steps wrote down of the time before they were tried."""
    content: Content | None = None
    """What the call brought along that set the run off."""

    @property
    def replayed(self) -> bool:
        """Whether a person has opened the run again: its next step is that person's wish."""
        return self.since != int(self.run.created * 1000)


class Journal(Protocol):
    """Runs: plan, claims, receipts, outcome."""

    async def claim(self, run: str, now: int, deadline: int, margin: int) -> Claim | int | None:
        """Claim the next step durably; a time to ask again while it is claimed; None when closed."""
        ...

    async def release(
        self, claim: Claim, *, again: int, unknown: bool, looks: int, why: str, failing: int = 0
    ) -> None:
        """Give the claim back: try again at `again`; `failing` since then, 0 if nothing failed."""
        ...

    async def delay(self, claim: Claim, until: int) -> None:
        """Give the claim of a step back that is to begin at `until` and not before: nothing was tried."""
        ...

    async def note(self, claim: Claim, step: int, text: str) -> str:
        """Write down what a step has to know of the time before it; give the first that was written.

        Raises Unavailable when the claim is somebody else's by now.
        """
        ...

    async def in_use(self, claim: Claim, keys: Sequence[str], now: int) -> str:
        """Say which other run has something to do, and now, with messages that this one deletes, or ""."""
        ...

    async def settle_emitted(self, settled: Settled, event: Event, now: int, claim: Claim) -> None:
        """Append an event to its mailbox's lane and record the step's receipt, both or none, once."""
        ...

    async def settle(self, settled: Settled, now: int, claim: Claim | None = None) -> bool:
        """Record a step's receipt; True while the run has further steps.

        A step that failed ends the run at once: it becomes a dead letter.
        """
        ...
