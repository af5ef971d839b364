"""Find a message of ours by its Message-ID, also when the search does not know it yet.

After a crash hundreds of runs look at once: those of one mailbox that look about equally far back share what
has to be gone through.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

from engine.errors import MessageGone, ProviderError, Unfinished
from engine.flow.ports import Found
from engine.mail.events import is_outbound
from engine.providers.rounds import Rounds
from engine.providers.zoom_mail import reading
from engine.providers.zoom_mail.client import ZoomMailClient
from engine.providers.zoom_mail.labels import LabelBooks

PLACES = ("DRAFT", "SCHEDULED", "SENT", "TRASH")
"""The way that mail of ours goes: what moves on while we look is met again further down."""
MAX_CANDIDATES = 10
MAX_READ = 500
"""Headers read in one look. What was read is remembered, so that the next look gets further."""
AT_ONCE = 8
REMEMBERED = 10_000
DRAFT_FOR_S = 3600.0
"""A draft may be written anew: what was read of it is remembered for the next looks alone."""


@dataclass(frozen=True, slots=True)
class Read:
    """What a look needs to know of a message."""

    message_id: str
    date: int
    """When the service took it, epoch milliseconds; 0 when unknown."""
    labels: tuple[str, ...]
    """Label ids."""
    until: float = float("inf")
    """Until when it is to be believed, by `time.monotonic`."""


@dataclass(frozen=True, slots=True)
class _Page:
    """Keys, newest first, and the token of the next page."""

    keys: list[str]
    next: str


_List = Callable[[str], Awaitable[_Page]]


@dataclass(frozen=True, slots=True)
class _Missing:
    """A message that no search knows; if it is there, it is newer than `start` (epoch milliseconds)."""

    message_id: str
    start: int


@dataclass(slots=True)
class _Met:
    """What was met on the way through the lists, by Message-ID, and what kept us from going on."""

    messages: dict[str, tuple[str, Read]] = field(default_factory=dict)
    error: ProviderError | None = None


class Lookup:
    """Looks messages of an account's mailboxes up."""

    def __init__(self, client: ZoomMailClient, books: LabelBooks) -> None:
        self._client, self._books = client, books
        self._known: OrderedDict[tuple[str, str], Read] = OrderedDict()
        self._rounds = Rounds(self._go_through)

    async def find(self, mailbox: str, message_id: str, since: datetime) -> Found | None:
        """Search, and when nothing is found go through all that is new since `since`.

        Searches lag behind writes, lists do not. Raises Unfinished when there is too much to go through.
        """
        wanted = _bare(message_id)
        if not wanted:
            return None
        missing = _Missing(wanted, int(since.timestamp() * 1000))
        return await self._search(mailbox, wanted) or await self._among_new(mailbox, missing)

    async def _search(self, mailbox: str, wanted: str) -> Found | None:
        """Search; a copy that was delivered to us counts only if no other is there."""
        query = f"rfc822msgid:{wanted}"
        delivered: Found | None = None
        seen: list[str] = []
        for search in (self._messages(mailbox, query=query), self._drafts(mailbox, query=query)):
            new = [key for key in (await search("")).keys[:MAX_CANDIDATES] if key not in seen]
            for key in new:
                # A search may be fuzzy, so every candidate's own header is compared.
                read = await self._read(mailbox, key)
                if read is None or read.message_id != wanted:
                    continue
                found = await self._found(mailbox, key, read)
                if is_outbound(found.labels):
                    return found
                delivered = delivered or found
            seen += new
        return delivered

    async def _among_new(self, mailbox: str, missing: _Missing) -> Found | None:
        # With those back by hours of the same power of two: nobody reads days for the sake of another.
        met = await self._rounds.ask((mailbox, _hours_back(missing.start).bit_length()), missing)
        if missing.message_id in met.messages:
            return await self._found(mailbox, *met.messages[missing.message_id])
        if met.error:
            raise met.error
        return None

    async def _go_through(self, about: tuple[str, int], missing: Sequence[_Missing]) -> _Met:
        mailbox, met, wanted = about[0], _Met(), {one.message_id for one in missing}
        try:
            async with aclosing(self._newer(mailbox, min(one.start for one in missing))) as newer:
                async for key, read in newer:
                    met.messages.setdefault(read.message_id, (key, read))
                    if wanted <= met.messages.keys():
                        break
        except ProviderError as error:
            met.error = error
        return met

    async def _newer(self, mailbox: str, start: int) -> AsyncGenerator[tuple[str, Read], None]:
        """Go through the places of ours, list by list, as far back as `start`."""
        left = MAX_READ
        for list_ in (self._drafts(mailbox), *(self._messages(mailbox, label=place) for place in PLACES)):
            dates: list[int] = []
            async for keys in _chunks(list_):
                left -= sum(self._remembered(mailbox, key) is None for key in keys)
                if left < 0:
                    raise Unfinished(f"whether ours is among more than {MAX_READ} messages is not told yet")
                for key, read in await self._read_all(mailbox, keys):
                    yield key, read
                    dates += [read.date] if read.date else []
                if is_past(dates, start):
                    break

    async def _read_all(self, mailbox: str, keys: Sequence[str]) -> list[tuple[str, Read]]:
        reads = await asyncio.gather(*(self._read(mailbox, key) for key in keys), return_exceptions=True)
        known: list[tuple[str, Read]] = []
        for key, read in zip(keys, reads, strict=True):
            if isinstance(read, BaseException):
                raise read
            if read is not None:
                known.append((key, read))
        return known

    async def _read(self, mailbox: str, key: str) -> Read | None:
        """Read one header of a message; None when the message is gone."""
        if known := self._remembered(mailbox, key):
            return known
        try:
            answer = await self._client.message(mailbox, key, reading.METADATA, "Message-ID")
        except MessageGone:
            return None
        headers = answer.payload.headers if answer.payload else None
        own = _bare(headers.text("Message-ID")) if headers else ""
        until = time.monotonic() + DRAFT_FOR_S if "DRAFT" in answer.labels else float("inf")
        read = Read(own, answer.internal_date, answer.labels, until)
        self._remember(mailbox, key, read)
        return read

    def _remembered(self, mailbox: str, key: str) -> Read | None:
        read = self._known.get((mailbox, key))
        return read if read and time.monotonic() < read.until else None

    def _remember(self, mailbox: str, key: str, read: Read) -> None:
        self._known[mailbox, key] = read
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)

    async def _found(self, mailbox: str, key: str, read: Read) -> Found:
        names = await self._books.names(mailbox, read.labels)
        return Found(key, tuple(names.get(label, label) for label in read.labels))

    def _messages(self, mailbox: str, *, query: str = "", label: str = "") -> _List:
        async def page_at(token: str) -> _Page:
            answer = await self._client.list_messages(mailbox, query=query, label=label, page=token)
            return _Page([message.id for message in answer.messages], answer.next)

        return page_at

    def _drafts(self, mailbox: str, *, query: str = "") -> _List:
        async def page_at(token: str) -> _Page:
            answer = await self._client.list_drafts(mailbox, query=query, page=token)
            return _Page([draft.key for draft in answer.drafts], answer.next)

        return page_at


def is_past(dates: Sequence[int], start: int) -> bool:
    """Tell from the dates read so far whether a listing, newest first, has gone past `start`.

    That lists are newest first is no promise of the service's, so one older message proves nothing.
    """
    if len(dates) < 2 or dates[-2] >= start:
        return False
    return all(later >= earlier for later, earlier in pairwise(dates))


def _hours_back(start: int) -> int:
    return max(0, int(time.time() * 1000) - start) // 3_600_000


async def _chunks(list_: _List) -> AsyncIterator[list[str]]:
    page = await list_("")
    while True:
        for start in range(0, len(page.keys), AT_ONCE):
            yield page.keys[start : start + AT_ONCE]
        if not page.next:
            return
        page = await list_(page.next)


def _bare(message_id: str) -> str:
    return message_id.strip().strip("<>")
