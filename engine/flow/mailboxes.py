"""What is known of a mailbox, and what the flow asks of its store. Times are epoch milliseconds."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from engine.flow.plan import Run
from engine.flow.ports import Profile
from engine.flow.stores import Lease
from engine.mail.events import Event


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a mailbox's history has been read."""

    history: int
    read: int
    """When the last complete read began."""
    started: int
    """When the mailbox was taken into service."""
    doubt: int = 0
    """Up to this history id, what was done may have been forgotten."""
    doubted: int = 0
    """When that was found; what bears no history id may be of before (epoch ms)."""


@dataclass(frozen=True, slots=True)
class Outset:
    """What is known of a mailbox before its history is read."""

    wanted: int
    """How often its doorbell has rung."""
    cursor: Cursor | None
    """None before it is taken into service."""
    profile: Profile | None
    """As it was last learned."""
    trace: str = ""
    """The cause of the newest ring that no complete read has heard, "" when nobody rang."""
    unheard: bool = False
    """Whether a ring was not heard by a complete read."""


class Mailboxes(Protocol):
    """Cursors, doorbells, and what is known of a mailbox."""

    def lease(self, mailbox: str) -> AbstractAsyncContextManager[Lease | None]: ...

    async def cursor(self, mailbox: str) -> Cursor | None: ...

    async def start(self, mailbox: str, history: int, now: int) -> None:
        """Store the first cursor, once."""
        ...

    async def leave_to_a_person(self, run: Run, now: int) -> None:
        """Make a run without steps a dead letter, once."""
        ...

    async def append(self, mailbox: str, old: int, new: int, events: Sequence[Event], now: int) -> bool:
        """Append events and advance the cursor in one step; False if it is no longer `old`."""
        ...

    async def outset(self, mailbox: str) -> Outset: ...

    async def polled(self, mailbox: str, wanted: int, began: int) -> bool:
        """Record a complete read that heard so many rings; False when there was another meanwhile."""
        ...

    async def keep_unknown(self, mailbox: str, records: Sequence[str]) -> None: ...

    async def know(self, mailbox: str, profile: Profile) -> None:
        """Remember a profile, its addresses in normal form."""
        ...

    async def tread(self, mailbox: str, steps: Sequence[str], answered: int) -> None:
        """Note label changes of ours; `answered` is 0 before the call, and its time afterwards."""
        ...

    async def profiles(self) -> dict[str, Profile]:
        """Every mailbox of ours as it was last learned."""
        ...

    async def pause(self, mailbox: str, why: str, until: int, now: int) -> None: ...

    async def resume(self, mailbox: str) -> None: ...

    async def judged_among(self, mailbox: str, keys: Sequence[str]) -> frozenset[str]: ...
