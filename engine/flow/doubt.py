"""When writes were lost: look up what may have been done, and mark what is to be looked up before it is done.

Two things may be forgotten: a receipt, while the journal still has the run; and a run as a whole. The
first is looked up here. The second comes back by itself: the events are still to be decided, and event
and rule make the same run again, with the same Message-IDs. Its mailbox is marked with the history id
up to which that may happen, and every step of such a run is looked up before it is tried.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import ParamSpec, Protocol, TypeVar

from engine.errors import ProviderError, RateLimited, Unavailable
from engine.flow.approving import wanted
from engine.flow.asking_by_draft import OUT
from engine.flow.clock import Clock, now_ms
from engine.flow.outgoing import message_id
from engine.flow.plan import Run, due_at
from engine.flow.ports import Found, Provider
from engine.flow.stores import Settled
from engine.mail.events import Event
from engine.rules.effects import SaveDraft, SendMessage

FOUND, NOTHING, UNKNOWN = "found", "nothing found", "unknown"
LAG_MS = 3_600_000
"""What is older than that, a search finds."""
TRIES = 5
PAUSE_S = 1.0
LONGEST_WAIT_S = 60.0
NEWEST = 2**64
"""Above every history id."""

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A run that is not done, or dead, and which of its steps have a receipt."""

    run: Run
    receipts: frozenset[int]


class Doubts(Protocol):
    """What the store knows of that which may have been done."""

    async def unsettled(self) -> list[Unsettled]: ...

    async def mailboxes(self) -> list[str]:
        """Every mailbox that was ever taken into service, configured or not."""
        ...

    async def doubt_run(self, run: str) -> None:
        """Have every step of a run looked up before it is tried."""
        ...

    async def doubt_mailbox(self, mailbox: str, history: int, now: int) -> None:
        """Have the same done for every run of an event up to this history id, and the history read on.

        An event with no history id is as old as it says itself, else it may be of before for a while.

        Whoever drains the lane at that moment loses it.
        """
        ...

    async def queued_events(self, mailbox: str) -> list[Event]:
        """What is still to be decided."""
        ...

    async def remember_answer(self, once: str, run: str, ms: int) -> None:
        """Take a once-key for a run that took it before, unless it is taken."""
        ...

    async def settle(self, settled: Settled, now: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Look:
    """One step that may have been done, and what a look for it gave."""

    run: str
    rule: str
    step: int
    state: str
    why: str = ""


@dataclass
class Report:
    """What is known of one mailbox."""

    mailbox: str
    looks: list[Look] = field(default_factory=list)
    answers: int = 0
    """Answers found that `once_per` remembers again."""
    notes: list[str] = field(default_factory=list)
    """What cannot be known and stops nothing."""
    trouble: list[str] = field(default_factory=list)
    """What has to be put right first."""

    @property
    def clear(self) -> bool:
        return not self.trouble and not any(look.state == UNKNOWN for look in self.looks)


@dataclass(frozen=True)
class Recovering:
    """What looking up needs."""

    doubts: Doubts
    dry_run: bool = False
    clock: Clock = now_ms
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def patiently(self, ask: Callable[P, Awaitable[T]], *args: P.args, **options: P.kwargs) -> T:
        """Ask again for a while where that may help."""
        for _ in range(TRIES - 1):
            try:
                return await ask(*args, **options)
            except RateLimited as error:
                wait = error.until - self.clock() / 1000
                if wait > LONGEST_WAIT_S:
                    raise
                await self.sleep(max(wait, PAUSE_S))
            except Unavailable:
                await self.sleep(PAUSE_S)
        return await ask(*args, **options)


async def look_up(
    recovering: Recovering, provider: Provider, report: Report, runs: Sequence[Unsettled]
) -> None:
    """Look one mailbox's unsettled steps up, and mark how far its past is in doubt."""
    doubts, dry_run = recovering.doubts, recovering.dry_run
    try:
        profile = await recovering.patiently(provider.profile, report.mailbox)
    except ProviderError as error:
        report.trouble.append(f"the mailbox cannot be read: {error}")
        return
    if not dry_run:
        await doubts.doubt_mailbox(report.mailbox, profile.history, recovering.clock())
    for one in runs:
        if _lies_ahead(one, recovering.clock()):
            continue
        if not dry_run:
            await doubts.doubt_run(one.run.id)
        for step in _keyed(one):
            report.looks.append(await _look(recovering, provider, one.run, step))


async def leave_in_doubt(recovering: Recovering, report: Report, runs: Sequence[Unsettled]) -> None:
    """Have all of a mailbox that cannot be asked now looked up before it is done, should it come back."""
    report.notes.append(
        "it is not in the configuration; when it is back, each step is looked up before it is done, "
        "until you run `postroom recover` once more"
    )
    if recovering.dry_run:
        return
    await recovering.doubts.doubt_mailbox(report.mailbox, NEWEST, recovering.clock())
    for one in runs:
        if not _lies_ahead(one, recovering.clock()):
            await recovering.doubts.doubt_run(one.run.id)


def _keyed(one: Unsettled) -> Iterator[int]:
    """Steps that leave a trace by which they are found; label changes can be repeated."""
    for step, effect in enumerate(one.run.steps):
        if isinstance(effect, (SendMessage, SaveDraft)) and step not in one.receipts:
            yield step


def _lies_ahead(one: Unsettled, now: int) -> bool:
    """Say whether the next step of a run has a time that has not come: then nothing is forgotten of it."""
    left = (step for step in range(one.run.grouped, len(one.run.steps)) if step not in one.receipts)
    return any(due_at(one.run, step) > now for step in islice(left, 1))


def _waits(run: Run, step: int, found: Found) -> bool:
    """Say whether what was found is a draft by which a person is asked, and not sent yet."""
    approval = wanted(run.steps[step])
    return approval is not None and approval.draft and OUT.isdisjoint(found.labels)


async def _look(recovering: Recovering, provider: Provider, run: Run, step: int) -> Look:
    own_id = message_id(run, step)
    since = datetime.fromtimestamp((recovering.clock() - LAG_MS) / 1000, UTC)
    try:
        found = await recovering.patiently(provider.find, run.mailbox, own_id, since)
    except ProviderError as error:
        return Look(run.id, run.rule, step, UNKNOWN, str(error))
    if found is None or _waits(run, step, found):
        return Look(run.id, run.rule, step, NOTHING)
    if not recovering.dry_run:
        receipt = {"outcome": "done", "id": found.key, "message_id": own_id, "how": "found"}
        await recovering.doubts.settle(Settled(run.id, step, receipt), recovering.clock())
    return Look(run.id, run.rule, step, FOUND)
