"""The vacation responder at work (RFC 3834): whom it answers, and with what.

It keeps silent towards machines, lists, bounces and the mailbox itself, towards mail that does not name the
mailbox in To or Cc (section 2), and for four days towards whom it has answered, unless told to answer always
(Zoom's text). The answer goes to the Return-Path, else to From (section 4); no copy is kept (presumed).
"""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import UTC, datetime
from html import escape
from typing import Any
from uuid import uuid4

from engine.mail.address import Address, parse_addresses
from engine.mail.automated import automated, is_no_reply
from engine.mail.compose import Outgoing, UnsendableError, compose, is_sendable, reply_headers
from engine.mail.headers import Headers, parse_headers
from engine.mail.markup import html_text
from engine.mail.message import Message
from engine.sandbox.labels import HIDING
from engine.sandbox.letters import Letter, members
from engine.sandbox.store import Mailbox, Store

PAUSE = 4 * 86_400_000
"""Milliseconds before the same correspondent is answered again."""


def vacation_of(store: Store, box: Mailbox) -> dict[str, Any]:
    """The responder's settings as the API names them, {} when they were never set."""
    row = store.db.execute("SELECT shape FROM vacations WHERE mailbox = ?", (box.row,)).fetchone()
    return dict(json.loads(row["shape"])) if row else {}


def vacation_reply(store: Store, box: Mailbox, raw: bytes, labels: Collection[str]) -> Letter | None:
    """Answer one arriving message, and remember whom; None when nobody is to be answered."""
    shape = vacation_of(store, box)
    if not _on(shape, store.now()) or not HIDING.isdisjoint(labels):
        return None
    headers = parse_headers(raw)
    to = _correspondent(box, headers)
    if to is None or not _wanted(store, box, shape, to):
        return None
    try:
        reply = compose(_reply(box, shape, headers, to, datetime.fromtimestamp(store.clock(), UTC)))
    except UnsendableError:
        return None
    store.db.execute(
        "INSERT INTO answered VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET at = excluded.at",
        (box.row, to.normal, store.now()),
    )
    return Letter(box.address, reply, (to.normal,))


def _on(shape: dict[str, Any], now: int) -> bool:
    """Whether the responder answers what comes now: after the start and before the end."""
    start, end = int(shape.get("startTime", now)), int(shape.get("endTime", now + 1))
    return bool(shape.get("enableAutoReply")) and start <= now < end


def _correspondent(box: Mailbox, headers: Headers) -> Address | None:
    """Whom an answer would reach, None when a machine wrote or the mail is not to us."""
    own = {box.address, *box.aliases}
    named = {address.normal for name in ("To", "Cc") for address in parse_addresses(headers.all(name))}
    senders = parse_addresses([*headers.all("Return-Path"), *headers.all("From")])
    if automated(headers) or own.isdisjoint(named) or not senders:
        return None
    sender = senders[0]
    if sender.normal in {*own, *box.groups} or is_no_reply(sender.address) or not is_sendable(sender):
        return None
    return sender


def _wanted(store: Store, box: Mailbox, shape: dict[str, Any], to: Address) -> bool:
    if shape["restrictToDomain"] and to.domain != box.address.rpartition("@")[2]:
        return False
    if shape["restrictToContacts"] and not _is_contact(store, box, to.normal):
        return False
    last = store.db.execute(
        "SELECT at FROM answered WHERE mailbox = ? AND address = ?", (box.row, to.normal)
    ).fetchone()
    return last is None or shape["enableAlwaysRespond"] or store.now() - last["at"] >= PAUSE


def _is_contact(store: Store, box: Mailbox, address: str) -> bool:
    """Contacts are the account's own people and whom the mailbox has written to (presumed)."""
    written = store.db.execute(
        "SELECT 1 FROM outbox o, json_each(o.recipients) r WHERE o.mailbox = ? AND r.value = ? LIMIT 1",
        (box.address, address),
    ).fetchone()
    return bool(members(store, address)) or written is not None


def _reply(box: Mailbox, shape: dict[str, Any], headers: Headers, to: Address, now: datetime) -> Outgoing:
    """Write the answer; HTML wins over plain text, and the subject stands before theirs (Zoom's text)."""
    answered = reply_headers(Message("", _headers=headers))
    plain, html = shape["responseBodyPlainText"], shape["responseBodyHtml"]
    prefix = shape["responseSubject"] or "Auto:"  # RFC 3834, section 3.1.5
    return Outgoing(
        from_=Address("", box.address),
        to=(to,),
        subject=f"{prefix} {headers.text('Subject')}"[:998],
        text=html_text(html) if html else plain,
        html=html or f"<p>{escape(plain)}</p>",
        message_id=f"<{uuid4().hex}@sandbox.invalid>",
        date=now,
        in_reply_to=answered.in_reply_to,
        references=answered.references,
        auto="auto-replied",
    )
