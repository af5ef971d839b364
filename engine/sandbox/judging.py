"""Whether a message answers a search line, read no further than the line asks for."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from engine.errors import Missing
from engine.mail.headers import parse_headers
from engine.mail.message import Message
from engine.mail.mime import parse, to_message
from engine.mail.query import Query
from engine.mail.search import matches

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def answers(query: Query, raw: bytes, key: str, labels: Collection[str], date: int) -> bool:
    """Judge on the headers, and on the whole message when they do not suffice.

    `labels` are full names, `date` is the internal date in epoch milliseconds.
    """
    received = EPOCH + timedelta(milliseconds=date)
    head = Message(
        key=key,
        labels=frozenset(labels),
        received=received,
        _headers=parse_headers(raw),
        _size=len(raw),
    )
    try:
        return matches(query, head)
    except Missing:
        whole = to_message(
            parse(raw), key=key, labels=frozenset(labels), received=received, size=len(raw), content=False
        )
        return matches(query, whole)
