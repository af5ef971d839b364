"""Messages from files, judged without any mailbox: what `evaluate` and `explain` share."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import click

from engine.mail.archive import Archived
from engine.mail.dates import arrival, message_date
from engine.mail.events import Event, EventKind
from engine.mail.message import Message
from engine.mail.mime import from_raw

DEFAULT_LABELS = "INBOX,UNREAD"


def read_now(_context: click.Context, _parameter: click.Parameter, value: str | None) -> datetime | None:
    """Read --now as an ISO 8601 time; UTC unless it says otherwise."""
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter(f"'{value}' is no time such as 2026-03-01T09:30:00+01:00") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def read_labels(_context: click.Context, _parameter: click.Parameter, value: str) -> frozenset[str]:
    """Read --labels: names with commas between."""
    return frozenset(label.strip() for label in value.split(",") if label.strip())


def read_message(
    archived: Archived, mailbox: str, labels: frozenset[str], now: datetime | None
) -> tuple[Message, datetime]:
    """Parse one message of an archive and say at what time it is judged: `now`, its Date, the present.

    A Maildir's own flags stand for INBOX and UNREAD.
    """
    own = archived.labels | (labels - {"INBOX", "UNREAD"}) if archived.labels else labels
    message = from_raw(archived.raw, key=archived.name, mailbox=mailbox, thread=archived.name, labels=own)
    moment = now or message_date(message.headers) or datetime.now(UTC)
    return replace(message, received=arrival(message.headers) or moment), moment


def received(message: Message) -> Event:
    """The event of its arrival."""
    return Event(
        EventKind.MESSAGE_RECEIVED, message.mailbox, 0, message.key, labels=tuple(sorted(message.labels))
    )
