"""Label names and ids: rules and events speak names, Zoom Mail speaks ids."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from engine.errors import Rejected
from engine.providers.zoom_mail.client import ZoomMailClient
from engine.providers.zoom_mail.label_models import Label
from engine.providers.zoom_mail.operations import NameTaken

SYSTEM = frozenset({"INBOX", "UNREAD", "STARRED", "IMPORTANT", "SENT", "DRAFT", "SCHEDULED", "SPAM", "TRASH"})
"""Labels whose id is their name in every mailbox: knowing these takes no call."""
KEEP_S = 300.0
"""Other workers and people rename labels too."""
MAX_LEVELS = 50


@dataclass(frozen=True, slots=True)
class Book:
    """One mailbox's labels, as last listed."""

    names: Mapping[str, str] = field(default_factory=dict)
    """Id to full path."""
    ids: Mapping[str, str] = field(default_factory=dict)
    """Full path to id."""
    strangers: frozenset[str] = frozenset()
    """Ids that a listing did not explain: labels deleted since."""
    until: float = 0.0
    """When it is too old (epoch seconds)."""

    def with_label(self, key: str, path: str) -> Book:
        return replace(self, names={**self.names, key: path}, ids={**self.ids, path: key})

    def knows(self, ids: Iterable[str]) -> bool:
        return all(label in self.names or label in self.strangers for label in ids)


def read_book(labels: Iterable[Label], until: float, strangers: Iterable[str] = ()) -> Book:
    """Make a book of a listing: full paths with `/`, system labels by their id."""
    by_id = {label.id: label for label in labels}
    names = {**{name: name for name in SYSTEM}, **{key: _path(label, by_id) for key, label in by_id.items()}}
    ids: dict[str, str] = {}
    for key, name in names.items():
        ids.setdefault(name, key)
    return Book(names, ids, frozenset(strangers) - names.keys(), until)


def _path(label: Label, by_id: Mapping[str, Label]) -> str:
    """Give a label's full path, whether its own name holds the parents' or not."""
    if label.type == "system":
        return label.id
    path, parent, seen = label.name, by_id.get(label.parent), {label.id}
    while parent is not None and parent.id not in seen:
        seen.add(parent.id)
        if not path.startswith(f"{parent.name}/"):
            path = f"{parent.name}/{path}"
        parent = by_id.get(parent.parent)
    return path


class LabelBooks:
    """The label books of an account's mailboxes."""

    def __init__(self, client: ZoomMailClient, clock: Callable[[], float] = time.time) -> None:
        self._client, self._clock = client, clock
        self._books: dict[str, Book] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def names(self, mailbox: str, ids: Collection[str]) -> Mapping[str, str]:
        """Give names for ids; a listing is fetched only for ids that none has explained yet."""
        if SYSTEM.issuperset(ids):
            return {}
        book = self._books.get(mailbox)
        if book is None or book.until <= self._clock() or not book.knows(ids):
            book = await self.refresh(mailbox, ids)
        return book.names

    async def ids(self, mailbox: str, names: Collection[str], *, create: bool) -> list[str]:
        """Give ids for names; a missing label is made if `create`, else left out."""
        if SYSTEM.issuperset(names):
            return list(names)
        book = self._books.get(mailbox)
        # What is to be made needs no look first: a name that is taken says so.
        missing = book is not None and not create and not book.ids.keys() >= set(names)
        if book is None or book.until <= self._clock() or missing:
            book = await self.refresh(mailbox)
        if create:
            for name in names:
                if name not in book.ids:
                    book = await self._create(mailbox, name)
        return [book.ids[name] for name in names if name in book.ids]

    async def known(self, mailbox: str) -> Book:
        """Give the labels as they were lately listed."""
        book = self._books.get(mailbox)
        return book if book and book.until > self._clock() else await self.refresh(mailbox)

    async def refresh(self, mailbox: str, wanted: Iterable[str] = ()) -> Book:
        """List the labels anew; ids in `wanted` that it does not explain are remembered as strangers."""
        labels = await self._client.labels(mailbox)
        old = self._books.get(mailbox, Book())
        book = read_book(labels, self._clock() + KEEP_S, {*old.strangers, *wanted})
        self._books[mailbox] = book
        return book

    def forget(self, mailbox: str) -> None:
        """Take what is known as out of date."""
        self._books.pop(mailbox, None)

    async def _create(self, mailbox: str, name: str) -> Book:
        """Make a label and the parents it lacks; whoever else makes them meanwhile is heeded."""
        async with self._locks[mailbox]:
            book, parent = self._books.get(mailbox) or await self.refresh(mailbox), ""
            for path in _ancestry(name):
                if path not in book.ids:
                    book = await self._create_one(mailbox, book, path, parent)
                parent = book.ids[path]
            return book

    async def _create_one(self, mailbox: str, book: Book, path: str, parent: str) -> Book:
        try:
            made = await self._client.create_label(mailbox, path.rpartition("/")[2], parent)
        except NameTaken:
            book = await self.refresh(mailbox)
        else:
            book = book.with_label(made.id, path)
            self._books[mailbox] = book
        if path not in book.ids:
            raise Rejected(f"the label {path!r} cannot be made: its name is taken by another label")
        return book


def _ancestry(name: str) -> list[str]:
    """Give every path from the top level down to a name. Raises Rejected for empty levels."""
    levels = name.split("/")
    if not all(level.strip() for level in levels) or len(levels) > MAX_LEVELS:
        raise Rejected(f"{name!r} cannot be a label's name")
    return ["/".join(levels[: depth + 1]) for depth in range(len(levels))]
