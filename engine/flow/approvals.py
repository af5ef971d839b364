"""Messages that wait for a person's leave: what is known of one, and what becomes of a decision."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol

from engine.flow.stores import Claim

MAX_WAITING = 1_000
"""With so many waiting, further ones are not even asked about."""
MAX_SIZE = 5_000_000
"""Bytes of one message that waits: all of them are kept in memory."""
WAITS = "it waits for approval"
"""What the journal says of its run."""


class Standing(StrEnum):
    """How far an approval is."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class About:
    """What a list shows of a message."""

    mailbox: str
    rule: str
    to: tuple[str, ...]
    subject: str


@dataclass(frozen=True, slots=True)
class Letter:
    """A rendered message that waits, or that somebody has decided about; times in epoch ms."""

    run: str
    step: int
    about: About
    asked: int
    expires: int
    raw: bytes = field(default=b"", repr=False)
    """The very bytes that will be sent; not read for a list."""
    edition: int = 1
    """Grows with every edit."""
    edited_by: str = ""
    standing: Standing = Standing.PENDING
    by: str = ""
    """Who decided."""
    at: int = 0
    """When."""
    reason: str = ""
    draft: str = ""
    """The draft that holds it, and that is sent or deleted in the mailbox; "" where it waits here."""

    def told(self) -> dict[str, str]:
        """What a receipt says of the decision."""
        edited = {"edited_by": self.edited_by} if self.edited_by else {}
        return told_of(self.standing, self.by, self.at, self.reason) | edited


def told_of(standing: Standing, by: str, at: int, reason: str) -> dict[str, str]:
    """What a receipt says of a decision that somebody took (`at` epoch ms)."""
    when = datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="seconds")
    said = {"approval": standing.value, "by": by, "at": when, "reason": reason}
    return {name: value for name, value in said.items() if value}


class Answer(StrEnum):
    """What became of a decision or an edit."""

    DONE = "done"
    GONE = "gone"
    """Nothing waits any more: the message was sent, held back, or never waited."""
    SETTLED = "settled"
    """Somebody else has decided, and it is being carried out."""
    LATE = "late"
    """The time for it is over."""
    ELSEWHERE = "elsewhere"
    """It lies as a draft in the mailbox: there it is sent or deleted."""
    CHANGED = "changed"
    """It was edited meanwhile, and is another text now."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided, or time did."""

    standing: Standing
    by: str = ""
    reason: str = ""
    edition: int = 0
    """The edition that was decided about; 0 for whichever there is."""


class Approvals(Protocol):
    """Keeps what waits."""

    async def ask(self, claim: Claim, letter: Letter) -> bool:
        """Keep a message and give the claim back until it expires; False where too many wait already."""
        ...

    async def get(self, run: str) -> Letter | None:
        """What waits in a run, or was decided and is not carried out yet."""
        ...

    async def decide(self, run: str, decision: Decision, now: int) -> Answer:
        """Decide, once, and wake the run."""
        ...
