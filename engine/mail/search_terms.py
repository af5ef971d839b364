"""What one term of a search line means, by its field."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo

from engine.mail.dates import parse_time
from engine.mail.query import AllOf, Date, Field, HasAttachment, Label, MessageId, Not, Query, Size, Words
from engine.mail.search_lexer import SearchError, Token

_SIZE = re.compile(r"(\d{1,15})(?:\.(\d{1,9}))?([kmg]?)(i?)b?", re.ASCII)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3}

PLACES = {
    "inbox": "INBOX",
    "sent": "SENT",
    "trash": "TRASH",
    "spam": "SPAM",
    "draft": "DRAFT",
    "drafts": "DRAFT",
    "scheduled": "SCHEDULED",
}
STATES: Mapping[str, Query] = {
    "unread": Label("UNREAD"),
    "read": Not(Label("UNREAD")),
    "starred": Label("STARRED"),
    "important": Label("IMPORTANT"),
}


def term(field: str, word: Token, zone: tzinfo) -> Query:
    """Give the meaning of a word or phrase under a field, "" for none. Raises SearchError."""
    if not field:
        return Words(word.text)
    meaning = _MEANINGS.get(field)
    return meaning(word, zone) if meaning else Field(field, word.text)


def _place(word: Token, _: tzinfo) -> Query:
    place = word.text.lower()
    return AllOf(()) if place == "anywhere" else Label(PLACES.get(place, word.text))


def _state(word: Token, _: tzinfo) -> Query:
    state = STATES.get(word.text.lower())
    if state is None:
        raise SearchError(f"'is:' takes {', '.join(STATES)}, not '{word.text}'", word.column)
    return state


def _has(word: Token, _: tzinfo) -> Query:
    if word.text.lower() not in ("attachment", "attachments"):
        raise SearchError(f"'has:' takes attachment, not '{word.text}'", word.column)
    return HasAttachment()


def _label(word: Token, _: tzinfo) -> Query:
    return Label(word.text)


def _message_id(word: Token, _: tzinfo) -> Query:
    return MessageId(word.text.strip().strip("<>"))


def _larger(word: Token, _: tzinfo) -> Query:
    return Size(above=_bytes(word))


def _smaller(word: Token, _: tzinfo) -> Query:
    return Size(below=_bytes(word))


def _after(word: Token, zone: tzinfo) -> Query:
    return Date(since=_time(word, zone))


def _before(word: Token, zone: tzinfo) -> Query:
    return Date(until=_time(word, zone))


def _bytes(word: Token) -> int:
    """Read a size: MB is 10^6 bytes, MiB 2^20, M the same as MB."""
    match = _SIZE.fullmatch(word.text.lower())
    if match is None:
        raise SearchError(f"'{word.text}' is no size; write 10M, 500KB or 2MiB", word.column)
    number = float(f"{match[1]}.{match[2] or 0}") if match[2] else int(match[1])
    return int(number * (1024 if match[4] else 1000) ** _POWERS[match[3]])


def _time(word: Token, zone: tzinfo) -> datetime:
    time = parse_time(word.text, zone)
    if time is None:
        raise SearchError(
            f"'{word.text}' is no date; write 2026/03/31, 2026-03-31T09:00:00Z or epoch seconds", word.column
        )
    return time


_MEANINGS: Mapping[str, Callable[[Token, tzinfo], Query]] = {
    "in": _place,
    "is": _state,
    "has": _has,
    "label": _label,
    "rfc822msgid": _message_id,
    "larger": _larger,
    "size": _larger,
    "smaller": _smaller,
    "after": _after,
    "newer": _after,
    "before": _before,
    "older": _before,
}
