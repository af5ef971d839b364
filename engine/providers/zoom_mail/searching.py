"""Where to look for messages: what a listing of Zoom Mail surely narrows by is a label, and times."""

from __future__ import annotations

from datetime import UTC, datetime

from engine.flow.ports import ListPage
from engine.mail.search_match import label_name
from engine.providers.zoom_mail.client import ZoomMailClient
from engine.providers.zoom_mail.labels import SYSTEM, LabelBooks
from engine.rules.narrowing import Narrow


async def search(
    client: ZoomMailClient, books: LabelBooks, mailbox: str, narrow: Narrow, page: str
) -> ListPage:
    """List a page of what lies within the bounds, and perhaps more."""
    labels = [await _ids(books, mailbox, label) for label in sorted(narrow.labels)]
    if [] in labels:
        return ListPage((), "")
    only = next((ids[0] for ids in labels if len(ids) == 1), "")
    answer = await client.list_messages(mailbox, query=_times(narrow), label=only, page=page)
    return ListPage(tuple(message.id for message in answer.messages), answer.next)


async def _ids(books: LabelBooks, mailbox: str, label: str) -> list[str]:
    """Give the ids of all labels that may be meant."""
    system = [name for name in SYSTEM if label_name(name) == label]
    if system:
        return system
    book = await books.known(mailbox)
    return [key for key, name in book.names.items() if label_name(name) == label]


def _times(narrow: Narrow) -> str:
    bounds = ("after", narrow.since), ("before", narrow.until)
    return " ".join(f"{name}:{_iso(moment)}" for name, moment in bounds if moment)


def _iso(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
