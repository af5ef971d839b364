"""Zoom Mail as the flow sees it: names instead of ids, messages and events instead of JSON."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from engine.errors import MessageGone, Rejected, Unauthorized, Unavailable
from engine.flow.ports import Fellow, Found, HistoryPage, ListPage, Period, Profile
from engine.mail.events import Event
from engine.mail.message import Message
from engine.mail.mime import MimePart
from engine.mail.needs import Need, Needs
from engine.providers.zoom_mail import history as records
from engine.providers.zoom_mail import reading
from engine.providers.zoom_mail.client import ZoomMailClient
from engine.providers.zoom_mail.deleting import delete_all
from engine.providers.zoom_mail.labelling import Labeller
from engine.providers.zoom_mail.labels import LabelBooks
from engine.providers.zoom_mail.lookup import Lookup
from engine.providers.zoom_mail.models import HistoryAnswer
from engine.providers.zoom_mail.searching import search
from engine.rules.narrowing import Narrow

log = logging.getLogger("postroom.zoom")

MAX_TEXT_PARTS = 20
"""Text parts fetched one by one; with more, the raw message is one call."""
MAX_EMPTY_PAGES = 100
MAX_THREAD_PAGES = 20


class ZoomMail:
    """The Provider for Zoom Mail."""

    schedules = True

    def __init__(self, client: ZoomMailClient, books: LabelBooks, labeller: Labeller) -> None:
        self._client, self._books, self._labeller = client, books, labeller
        self._lookup = Lookup(client, books)

    async def profile(self, mailbox: str) -> Profile:
        answer = await self._client.profile(mailbox)
        groups = frozenset(address.strip().lower() for address in answer.groups) - {""}
        known = answer.own | groups | ({mailbox.lower()} if not answer.address else set())
        return Profile(answer.history, answer.status, known, await self._vacation(mailbox))

    async def filters(self, mailbox: str) -> list[dict[str, Any]]:
        """Give the filters in the mailbox's settings as the API lists them, labels by their names."""
        found = await self._client.filters(mailbox)
        ids = {id_ for one in found for id_ in (*one.action.add, *one.action.remove)}
        names = await self._books.names(mailbox, ids)

        def named(ids: Iterable[str]) -> list[str]:
            return [names.get(id_, id_) for id_ in ids]

        return [
            {
                "id": one.id,
                "criteria": one.criteria.body(),
                "action": {
                    **one.action.body(),
                    "addLabelIds": named(one.action.add),
                    "removeLabelIds": named(one.action.remove),
                },
            }
            for one in found
        ]

    async def history(self, mailbox: str, cursor: int) -> HistoryPage:
        page = await self._client.history(mailbox, cursor)
        found = list(page.history)
        for _ in range(MAX_EMPTY_PAGES):
            if not page.next or _newest(found) > cursor:
                break
            # Only a page token leads on: its records would not move the cursor.
            page = await self._client.history(mailbox, cursor, page.next)
            found += page.history
        else:
            raise Rejected(f"history: {MAX_EMPTY_PAGES} pages did not get past {cursor}")
        return await self._page(mailbox, cursor, found, page)

    async def fetch(self, mailbox: str, key: str, needs: Needs) -> Message:
        format_ = reading.format_for(needs)
        answer = await self._client.message(mailbox, key, format_)
        if Need.BODY in needs and format_ == reading.FULL and answer.payload:
            payload = await self._with_texts(mailbox, key, answer.payload)
            if payload is None:
                return await self.fetch(mailbox, key, needs | {Need.CONTENT})
            answer = answer.model_copy(update={"payload": payload})
        names = await self._books.names(mailbox, answer.labels)
        labels = (names.get(label, label) for label in answer.labels)
        return reading.to_message(answer, mailbox, labels, format_, text=Need.BODY in needs)

    async def raw(self, mailbox: str, key: str) -> bytes:
        answer = await self._client.message(mailbox, key, reading.RAW)
        if answer.raw is None:
            raise Unavailable("messages.get answered without the raw message")
        return answer.raw

    async def list_messages(self, mailbox: str, page: str = "", since: datetime | None = None) -> ListPage:
        query = f"after:{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if since else ""
        answer = await self._client.list_messages(mailbox, query=query, page=page)
        return ListPage(tuple(message.id for message in answer.messages), answer.next)

    async def search(self, mailbox: str, narrow: Narrow, page: str = "") -> ListPage:
        return await search(self._client, self._books, mailbox, narrow, page)

    async def thread(self, mailbox: str, thread: str, *, named: bool = False) -> tuple[Fellow, ...]:
        """A further call is made only for each 500 messages more. Raises Rejected for one without end."""
        fellows: list[Fellow] = []
        page = ""
        for _ in range(MAX_THREAD_PAGES):
            answer = await self._client.thread(mailbox, thread, reading.METADATA, "Auto-Submitted", page=page)
            fellows += map(reading.to_fellow, answer.messages)
            page = answer.next
            if not page:
                return await self._with_names(mailbox, fellows) if named else tuple(fellows)
        raise Rejected(f"threads.get: {MAX_THREAD_PAGES} pages did not get to the end")

    async def change_labels(
        self, mailbox: str, keys: Sequence[str], add: Sequence[str], remove: Sequence[str]
    ) -> None:
        await self._labeller.change(mailbox, keys, add, remove)

    async def change_thread(
        self, mailbox: str, thread: str, keys: Sequence[str], add: Sequence[str], remove: Sequence[str]
    ) -> tuple[str, ...]:
        return await self._labeller.change_thread(mailbox, thread, keys, add, remove)

    async def delete(self, mailbox: str, keys: Sequence[str]) -> None:
        await delete_all(self._client, mailbox, keys)

    async def send(self, mailbox: str, raw: bytes, at: datetime | None = None) -> str:
        return (await self._client.send(mailbox, raw, at=at)).id

    async def save_draft(self, mailbox: str, raw: bytes) -> str:
        return (await self._client.create_draft(mailbox, raw)).key

    async def read_draft(self, mailbox: str, draft: str) -> bytes:
        message = (await self._client.draft(mailbox, draft, reading.RAW)).message
        if message is None or message.raw is None:
            raise Unavailable("drafts.get answered without the raw message")
        if "TRASH" in message.labels:
            raise MessageGone("the draft lies in the trash")
        return message.raw

    async def update_draft(self, mailbox: str, draft: str, raw: bytes) -> str:
        return (await self._client.update_draft(mailbox, draft, raw)).key

    async def delete_draft(self, mailbox: str, draft: str) -> None:
        with contextlib.suppress(MessageGone):
            await self._client.delete_draft(mailbox, draft)

    async def find(self, mailbox: str, message_id: str, since: datetime) -> Found | None:
        return await self._lookup.find(mailbox, message_id, since)

    async def aclose(self) -> None:
        await self._client.aclose()

    async def _with_names(self, mailbox: str, fellows: Sequence[Fellow]) -> tuple[Fellow, ...]:
        names = await self._books.names(mailbox, {label for one in fellows for label in one.labels})
        return tuple(
            replace(one, labels=frozenset(names.get(label, label) for label in one.labels)) for one in fellows
        )

    async def _vacation(self, mailbox: str) -> Period | None:
        """Ask when the mailbox itself replies; a scope that is missing for that must not stop its service."""
        try:
            vacation = await self._client.vacation(mailbox)
        except (Unauthorized, Rejected) as error:
            log.warning("%s: its vacation reply is unknown: %s", mailbox, error)
            return None
        return Period(vacation.start, vacation.end) if vacation.on else None

    async def _page(
        self, mailbox: str, cursor: int, found: Sequence[records.Record], page: HistoryAnswer
    ) -> HistoryPage:
        if records.touches_labels(found):
            self._books.forget(mailbox)
        names = await self._books.names(mailbox, records.label_ids(found))
        events: list[Event] = []
        unknown: list[str] = []
        for record in found:
            facts, strange = records.events(record, mailbox, names)
            events += facts
            unknown += strange
        more = bool(page.next)
        # While there is more, the answer's historyId may lie beyond records that are still to come.
        after = max(_newest(found), cursor, 0 if more else page.newest)
        return HistoryPage(tuple(events), after, more, tuple(unknown))

    async def _with_texts(self, mailbox: str, key: str, payload: MimePart) -> MimePart | None:
        """Fetch the texts that the tree names but does not hold; None when the raw message serves better."""
        while handles := reading.unloaded_texts(payload):
            if len(handles) > MAX_TEXT_PARTS:
                return None
            try:
                data = {handle: await self._client.attachment(mailbox, key, handle) for handle in handles}
            except (MessageGone, Rejected):
                # The part is refused: whether the message is gone, the message itself must say.
                return None
            payload = reading.with_data(payload, data)
        return payload


def _newest(found: Sequence[records.Record]) -> int:
    return max(map(records.record_id, found), default=0)
