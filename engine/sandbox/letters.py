"""Mail on its way: who here gets it, and what leaves the sandbox for the outbox."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from engine.mail.address import parse_addresses
from engine.mail.headers import parse_headers
from engine.sandbox.mailbox import storable
from engine.sandbox.store import Mailbox, Store


@dataclass(frozen=True, slots=True)
class Letter:
    """One message in transport."""

    mailbox: str
    """The address of the hosted mailbox that sends it."""
    raw: bytes
    recipients: tuple[str, ...]
    """In comparable form."""
    copy: str = ""
    """The id of the sender's own copy, "" when there is none."""


def members(store: Store, address: str) -> list[Mailbox]:
    """The hosted mailboxes that get mail to an address: its own, its aliases', its group's."""
    return [
        box for box in store.mailboxes() if address == box.address or address in (*box.aliases, *box.groups)
    ]


def post(store: Store, letter: Letter, outside: Iterable[str]) -> None:
    """Put a letter to recipients that are not hosted here into the outbox."""
    headers = parse_headers(letter.raw)
    senders = parse_addresses(headers.all("From"))
    store.db.execute(
        "INSERT INTO outbox (mailbox, id, sender, recipients, message_id, raw, at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            letter.mailbox,
            letter.copy,
            storable(senders[0].address) if senders else letter.mailbox,
            json.dumps(list(outside)),
            storable(headers.text("Message-ID").strip()),
            letter.raw,
            store.now(),
        ),
    )


def outbox(store: Store) -> list[sqlite3.Row]:
    """Mail that left the sandbox, oldest first."""
    return store.db.execute("SELECT * FROM outbox ORDER BY row").fetchall()
