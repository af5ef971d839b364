"""Filling a mailbox from an archive of real mail."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from itertools import islice
from pathlib import Path

from engine.mail.archive import Archived, read_archive
from engine.mail.headers import parse_headers
from engine.sandbox.delivery import deliver
from engine.sandbox.labels import label_at
from engine.sandbox.mailbox import add_message
from engine.sandbox.store import Mailbox, Store

NEW = ("INBOX", "UNREAD")
"""Labels of mail from archives that know none."""
BATCH = 50
"""Messages put in by one transaction, between which others are served."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of an archive."""

    messages: int
    errors: tuple[str, ...]
    """Entries that could not be read: `name: reason`."""


async def load_mail(store: Store, box: Mailbox, path: str, *, imported: bool = False) -> Loaded:
    """Deliver every message of an .eml, folder, zip, mbox or Maildir.

    Imported mail bears the date it tells itself, delivered mail that of now. Raises PostroomError
    for a path that is not there.
    """
    count, errors = 0, []
    for batch in _batches(read_archive(Path(path))):
        with store.transaction():
            for entry in batch:
                if entry.error:
                    errors.append(f"{entry.name}: {entry.error}")
                else:
                    _put(store, box, entry, imported=imported)
                    count += 1
        await asyncio.sleep(0)
    return Loaded(count, tuple(errors))


def date_of(raw: bytes) -> int | None:
    """The Date field in epoch milliseconds, None without a usable one."""
    try:
        found = parsedate_to_datetime(parse_headers(raw).text("Date"))
        when = found if found.tzinfo else found.replace(tzinfo=UTC)
        return max(0, int(when.timestamp() * 1000))
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _batches(entries: Iterator[Archived]) -> Iterator[list[Archived]]:
    while batch := list(islice(entries, BATCH)):
        yield batch


def _put(store: Store, box: Mailbox, entry: Archived, *, imported: bool) -> None:
    labels = {label_at(store, box, name) for name in entry.labels or NEW}
    if imported:
        add_message(store, box, entry.raw, labels, kind="messagesImported", date=date_of(entry.raw))
    else:
        deliver(store, box, entry.raw, labels)
