"""A mail service in memory, and a clock that a test sets."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from engine.errand import BACKGROUND
from engine.errors import CursorExpired, MessageGone, OutcomeUnknown, Rejected
from engine.flow.ports import Fellow, Found, HistoryPage, ListPage, Period, Profile
from engine.mail.automated import is_automatic
from engine.mail.events import Event, EventKind
from engine.mail.headers import parse_headers
from engine.mail.message import Message
from engine.mail.mime import from_raw
from engine.mail.needs import Need, Needs
from engine.mail.search_match import label_name
from engine.rules.narrowing import Narrow

BOX = "support@acme.example"
START_MS = 1_767_225_600_000
"""2026-01-01."""


@dataclass
class Clock:
    """Epoch milliseconds, moved by hand."""

    now: int = START_MS

    def __call__(self) -> int:
        return self.now

    def forward(self, ms: int) -> None:
        self.now += ms


def mail(subject: str = "hello", sender: str = "ann@x.example", to: str = BOX, **headers: str) -> bytes:
    """A small message; further headers by name, `_` for `-`."""
    fields = {
        "From": sender,
        "To": to,
        "Subject": subject,
        "Message-ID": f"<{subject.partition(' ')[0]}@x.example>",
    }
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    return "".join(f"{name}: {value}\r\n" for name, value in fields.items()).encode() + b"\r\nhi\r\n"


@dataclass
class Stored:
    """One message as the service has it."""

    raw: bytes
    labels: frozenset[str]
    received: datetime


Failures = dict[str, list[Exception]]
"""What each method raises before doing anything, one error a call: `send`, `fetch 1`, `fetch 1 body`."""


@dataclass
class FakeProvider:
    """A mail service of several mailboxes in one memory: history, listing, labels, sends."""

    clock: Callable[[], int]
    page_size: int = 100
    base: int = 1000
    """The history id before the first record."""
    failures: Failures = field(default_factory=dict)
    lost_answers: int = 0
    """How many sends or drafts are done and then end in OutcomeUnknown."""
    search_lag: int = 0
    """How often `find` still sees nothing."""
    looked_back_to: datetime | None = None
    """Where the last `find` began."""
    poison: frozenset[str] = frozenset()
    """Messages for which any label change is rejected, and a batch with them."""
    expired: int = 0
    """History ids below this are gone."""
    aliases: dict[str, frozenset[str]] = field(default_factory=dict)
    status: str = "active"
    vacation: Period | None = None
    meanwhile: dict[str, Callable[[], Awaitable[object]]] = field(default_factory=dict)
    """What happens elsewhere during the next call of a method."""
    messages: dict[str, Stored] = field(default_factory=dict)
    records: list[Event] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    schedules: bool = True
    sent: list[bytes] = field(default_factory=list)
    kept_until: list[datetime | None] = field(default_factory=list)
    """Of each that was sent, when it is due."""
    drafts: list[bytes] = field(default_factory=list)
    """Every draft as it was left at first."""
    lying: dict[str, bytes] = field(default_factory=dict)
    """Drafts as they are now, by id."""
    changes: list[tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = field(default_factory=list)
    """Label calls that worked, as (keys, add, remove)."""
    fetched: dict[str, list[Needs]] = field(default_factory=lambda: defaultdict(list))
    calls: Counter[str] = field(default_factory=Counter)
    unhurried: Counter[str] = field(default_factory=Counter)
    """Those of them that could wait."""
    searched: list[Narrow] = field(default_factory=list)
    threads: dict[str, str] = field(default_factory=dict)
    """The thread of each message that is not alone."""

    # What happens at the service.

    def deliver(
        self,
        key: str,
        raw: bytes | None = None,
        labels: Iterable[str] = ("INBOX", "UNREAD"),
        *,
        kind: EventKind = EventKind.MESSAGE_RECEIVED,
        received: int | None = None,
    ) -> None:
        """Take in a message and report it."""
        at = datetime.fromtimestamp((self.clock() if received is None else received) / 1000, UTC)
        self.messages[key] = Stored(raw or mail(f"m{key}"), frozenset(labels), at)
        self.report(kind, key)

    def report(self, kind: EventKind, key: str = "", changed: Sequence[str] = ()) -> None:
        """Write a history record."""
        labels = tuple(sorted(self.messages[key].labels)) if key in self.messages else ()
        thread = self.threads.get(key, key)
        self.records.append(Event(kind, BOX, self.newest + 1, key, thread, labels, tuple(changed)))

    def relabel(self, key: str, add: Iterable[str] = (), remove: Iterable[str] = ()) -> None:
        """Change labels as a person does, reporting what really changes."""
        stored = self.messages[key]
        added, removed = sorted(set(add) - stored.labels), sorted(set(remove) & stored.labels)
        self.messages[key] = replace(stored, labels=(stored.labels - set(removed)) | set(added))
        if added:
            self.report(EventKind.LABEL_ADDED, key, added)
        if removed:
            self.report(EventKind.LABEL_REMOVED, key, removed)

    def delete_message(self, key: str) -> None:
        del self.messages[key]
        self.report(EventKind.MESSAGE_DELETED, key)

    def labels(self, key: str) -> frozenset[str]:
        return self.messages[key].labels

    @property
    def newest(self) -> int:
        return self.base + len(self.records)

    # The Provider port.

    async def profile(self, mailbox: str) -> Profile:
        await self._begin("profile")
        addresses = self.aliases.get(mailbox, frozenset()) | {mailbox}
        return Profile(self.newest, self.status, addresses, self.vacation)

    async def history(self, mailbox: str, cursor: int) -> HistoryPage:
        await self._begin("history")
        if cursor < self.expired:
            raise CursorExpired("the history starts later")
        later = [event for event in self.records if event.history > cursor and event.mailbox == mailbox]
        page, unknown = later[: self.page_size], tuple(self.unknown)
        self.unknown.clear()
        at = page[-1].history if page else max(cursor, self.newest)
        return HistoryPage(tuple(page), at, len(later) > len(page), unknown)

    async def fetch(self, mailbox: str, key: str, needs: Needs) -> Message:
        await self._begin("fetch", key, *sorted(needs))
        self.fetched[key].append(needs)
        stored = self.messages.get(key) or self._draft(key)
        if stored is None:
            raise MessageGone(f"there is no message {key}")
        raw = Need.CONTENT in needs
        whole = from_raw(
            stored.raw,
            key=key,
            mailbox=mailbox,
            thread=self.threads.get(key, key),
            labels=stored.labels,
            received=stored.received,
            content=raw,
        )
        return whole.holding(frozenset(Need) if raw else needs)

    async def raw(self, mailbox: str, key: str) -> bytes:
        await self._begin("raw", key)
        if key not in self.messages:
            raise MessageGone(f"there is no message {key}")
        return self.messages[key].raw

    async def list_messages(self, mailbox: str, page: str = "", since: datetime | None = None) -> ListPage:
        await self._begin("list_messages")
        keys = [key for key, one in reversed(self.messages.items()) if not since or one.received >= since]
        start = int(page or 0)
        end = start + self.page_size
        return ListPage(tuple(keys[start:end]), str(end) if end < len(keys) else "")

    async def search(self, mailbox: str, narrow: Narrow, page: str = "") -> ListPage:
        await self._begin("search")
        self.searched.append(narrow)
        keys = [
            key
            for key, one in reversed(self.messages.items())
            if narrow.labels <= {label_name(label) for label in one.labels}
            and (narrow.since is None or one.received >= narrow.since)
            and (narrow.until is None or one.received < narrow.until)
        ]
        end = int(page or 0) + self.page_size
        return ListPage(tuple(keys[int(page or 0) : end]), str(end) if end < len(keys) else "")

    async def thread(self, mailbox: str, thread: str, *, named: bool = False) -> tuple[Fellow, ...]:
        await self._begin("thread", thread)
        return tuple(
            Fellow(key, one.received, one.labels, is_automatic(parse_headers(one.raw).text("Auto-Submitted")))
            for key, one in self.messages.items()
            if self.threads.get(key, key) == thread
        ) + tuple(
            Fellow(draft, None, frozenset({"DRAFT"})) for draft in self.lying if self._answers(draft, thread)
        )

    def _draft(self, key: str) -> Stored | None:
        raw = self.lying.get(key)
        return (
            Stored(raw, frozenset({"DRAFT"}), datetime.fromtimestamp(START_MS / 1000, UTC))
            if raw is not None
            else None
        )

    def _answers(self, draft: str, thread: str) -> bool:
        answered = parse_headers(self.lying[draft]).text("In-Reply-To")
        return any(
            self.threads.get(key, key) == thread and parse_headers(one.raw).text("Message-ID") == answered
            for key, one in self.messages.items()
        )

    async def change_labels(
        self, mailbox: str, keys: Sequence[str], add: Sequence[str], remove: Sequence[str]
    ) -> None:
        await self._begin("change_labels")
        if self.poison & set(keys):
            raise Rejected("a message is refused")
        if gone := [key for key in keys if key not in self.messages]:
            raise MessageGone(f"there is no message {gone[0]}")
        self.changes.append((tuple(keys), tuple(add), tuple(remove)))
        for key in keys:
            self.relabel(key, add, remove)

    async def change_thread(
        self, mailbox: str, thread: str, keys: Sequence[str], add: Sequence[str], remove: Sequence[str]
    ) -> tuple[str, ...]:
        await self._begin("change_thread", thread)
        touched = tuple(key for key in self.messages if self.threads.get(key, key) == thread)
        for key in touched:
            self.relabel(key, add, remove)
        await self._begin("changed_thread", thread)
        return touched

    async def delete(self, mailbox: str, keys: Sequence[str]) -> None:
        await self._begin("delete")
        for key in keys:
            if key in self.messages:
                self.delete_message(key)
        await self._begin("deleted")

    async def send(self, mailbox: str, raw: bytes, at: datetime | None = None) -> str:
        await self._begin("send")
        self.sent.append(raw)
        self.kept_until.append(at)
        if at:
            self.messages[f"sent-{len(self.sent)}"] = Stored(raw, frozenset({"SCHEDULED"}), at)
        return self._answer(f"sent-{len(self.sent)}")

    async def save_draft(self, mailbox: str, raw: bytes) -> str:
        await self._begin("save_draft")
        self.drafts.append(raw)
        self.lying[f"draft-{len(self.drafts)}"] = raw
        return self._answer(f"draft-{len(self.drafts)}")

    async def read_draft(self, mailbox: str, draft: str) -> bytes:
        await self._begin("read_draft")
        if draft not in self.lying:
            raise MessageGone(f"there is no draft {draft}")
        return self.lying[draft]

    async def update_draft(self, mailbox: str, draft: str, raw: bytes) -> str:
        await self.read_draft(mailbox, draft)
        await self._begin("update_draft")
        self.lying[draft] = raw
        return draft

    async def delete_draft(self, mailbox: str, draft: str) -> None:
        await self._begin("delete_draft")
        self.lying.pop(draft, None)

    async def find(self, mailbox: str, message_id: str, since: datetime) -> Found | None:
        await self._begin("find")
        self.looked_back_to = since
        if self.search_lag > 0:
            self.search_lag -= 1
            return None
        kept = [("found", "SENT", raw) for raw in self.sent]
        kept += [(draft, "DRAFT", raw) for draft, raw in self.lying.items()]
        ours = (one for one in kept if parse_headers(one[2]).text("Message-ID") == message_id)
        return next((Found(key, (label,)) for key, label, _ in ours), None)

    async def aclose(self) -> None:
        return None

    def _answer(self, key: str) -> str:
        if self.lost_answers > 0:
            self.lost_answers -= 1
            raise OutcomeUnknown("the answer was lost")
        return key

    async def _begin(self, method: str, key: str = "", *needs: str) -> None:
        self.calls[method] += 1
        if BACKGROUND.get():
            self.unhurried[method] += 1
        if happens := self.meanwhile.pop(method, None):
            await happens()
        for name in (method, f"{method} {key}", *(f"{method} {key} {need}" for need in needs)):
            if self.failures.get(name):
                raise self.failures[name].pop(0)
