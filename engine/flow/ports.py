"""What the flow asks of the outside, declared here by the one who asks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from engine.mail.events import Event
from engine.mail.message import Message
from engine.mail.needs import Needs
from engine.rules.narrowing import Narrow

ACTIVE = "active"


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` up to `end`, in epoch ms; 0 means that it is open on that side."""

    start: int = 0
    end: int = 0

    def holds(self, now: int) -> bool:
        return self.start <= now and (not self.end or now < self.end)


@dataclass(frozen=True, slots=True)
class Profile:
    """A mailbox as its provider sees it."""

    history: int
    """The newest history id: where a new mailbox starts."""
    status: str
    """ACTIVE, or in the service's own word why it is not."""
    addresses: frozenset[str]
    """Its own address, aliases and group addresses, lower case."""
    vacation: Period | None = None
    """When the mailbox answers by itself that its owner is away; None when that is switched off."""

    @property
    def active(self) -> bool:
        return self.status == ACTIVE

    def is_away(self, now: int) -> bool:
        """Whether the mailbox's own vacation reply is on at `now` (epoch ms)."""
        return self.vacation is not None and self.vacation.holds(now)


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Facts after a cursor, oldest first."""

    events: tuple[Event, ...]
    cursor: int
    """Where to go on: every event of this page lies at or before it."""
    more: bool
    """Whether the history goes on after this page."""
    unknown: tuple[str, ...] = ()
    """Records that no event kind is known for, as JSON."""


@dataclass(frozen=True, slots=True)
class ListPage:
    """One page of a mailbox's listing."""

    keys: tuple[str, ...]
    next: str
    """The token of the next page, "" at the end."""


@dataclass(frozen=True, slots=True)
class Found:
    """A message of ours that the provider has."""

    key: str
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fellow:
    """A message of a thread."""

    key: str
    received: datetime | None
    labels: frozenset[str]
    """System labels by name; others as the service tells them."""
    automatic: bool = False
    """Whether it says of itself that no person sent it (RFC 3834, section 5)."""


class Provider(Protocol):
    """A mail service, for all mailboxes of one account. Raises ProviderErrors and nothing else."""

    @property
    def schedules(self) -> bool:
        """Whether it keeps a message until a time, for a person to see and to cancel there."""
        ...

    async def profile(self, mailbox: str) -> Profile: ...

    async def history(self, mailbox: str, cursor: int) -> HistoryPage:
        """Read the page after `cursor`. Raises CursorExpired."""
        ...

    async def fetch(self, mailbox: str, key: str, needs: Needs) -> Message:
        """Fetch at least `needs`, in one call. Raises MessageGone."""
        ...

    async def raw(self, mailbox: str, key: str) -> bytes:
        """Give a message as it was received (RFC 5322). Raises MessageGone."""
        ...

    async def list_messages(self, mailbox: str, page: str = "", since: datetime | None = None) -> ListPage:
        """List keys, spam and trash included; `since` narrows by date where the provider can."""
        ...

    async def search(self, mailbox: str, narrow: Narrow, page: str = "") -> ListPage:
        """List keys of at least those messages that lie within some bounds, the newest first."""
        ...

    async def thread(self, mailbox: str, thread: str, *, named: bool = False) -> tuple[Fellow, ...]:
        """Give the messages of a thread, drafts included; `named` gives all labels by name.

        Raises MessageGone.
        """
        ...

    async def change_labels(
        self, mailbox: str, keys: Sequence[str], add: Sequence[str], remove: Sequence[str]
    ) -> None:
        """Change labels, by name, of all messages at once; missing labels are made. Idempotent."""
        ...

    async def change_thread(
        self, mailbox: str, thread: str, keys: Sequence[str], add: Sequence[str], remove: Sequence[str]
    ) -> tuple[str, ...]:
        """Change labels, by name, of a thread, of which `keys` are known; give all that were touched.

        Idempotent. Raises MessageGone.
        """
        ...

    async def delete(self, mailbox: str, keys: Sequence[str]) -> None:
        """Delete messages for good; one that is gone already is no error. Idempotent."""
        ...

    async def send(self, mailbox: str, raw: bytes, at: datetime | None = None) -> str:
        """Send RFC 5322 bytes once; returns the key. Never retried. Raises OutcomeUnknown.

        `at` has the service keep them until then, where it `schedules`.
        """
        ...

    async def save_draft(self, mailbox: str, raw: bytes) -> str:
        """Leave a draft once; returns the draft's id. Never retried. Raises OutcomeUnknown."""
        ...

    async def read_draft(self, mailbox: str, draft: str) -> bytes:
        """Give a draft as it is now (RFC 5322). Raises MessageGone, also for one in the trash."""
        ...

    async def update_draft(self, mailbox: str, draft: str, raw: bytes) -> str:
        """Replace a draft whole; returns its id. Idempotent. Raises MessageGone."""
        ...

    async def delete_draft(self, mailbox: str, draft: str) -> None:
        """Delete a draft for good; one that is gone already is no error. Idempotent."""
        ...

    async def find(self, mailbox: str, message_id: str, since: datetime) -> Found | None:
        """Look a message of ours up by Message-ID, wherever it lies: sent, scheduled, drafts, trash.

        None says that what was sent or drafted from `since` on does not bear it, however far a search
        lags behind. Raises Unavailable when that cannot be told.
        """
        ...

    async def aclose(self) -> None: ...


class RateBudget(Protocol):
    """One account's share of the service's rate limits, common to all workers."""

    async def take(self, rate_class: str, who: str = "") -> float:
        """Take one call of LIGHT, MEDIUM or HEAVY for a mailbox.

        0 when granted, else seconds until worth asking again.
        """
        ...

    async def pause(self, rate_class: str, until: float) -> None:
        """Grant nothing of this class before `until` (epoch seconds): the service said so."""
        ...


@dataclass(frozen=True, slots=True)
class Token:
    """An access token; `expires` in epoch seconds; `url` is the region that the service named, or ""."""

    value: str
    expires: float
    url: str = ""
    refresh: str = field(default="", repr=False)
    """What the next one is asked for with, where the service gives such a thing."""


Ask = Callable[[str], Awaitable[Token]]
"""Asks for a token with the refresh token in force, "" where the account has none. Raises ConsentGone."""


class TokenCache(Protocol):
    """One token per account, common to all workers, since a new one may end the old."""

    async def load(self) -> Token | None: ...

    async def renew(self, ask: Ask, stale: Token | None) -> Token:
        """Ask for a new token, one worker at a time; whoever waited gets the new one."""
        ...

    async def aclose(self) -> None: ...
