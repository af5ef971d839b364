"""What one term of a search line means, by its field."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import TypeVar

from engine.mail.dates import parse_time
from engine.mail.query import (
    Age,
    AllOf,
    Date,
    Field,
    HasAttachment,
    HasUserLabel,
    Label,
    MessageId,
    Not,
    Query,
    Size,
    Words,
)
from engine.mail.search_lexer import SearchError, Token

_AMERICAN = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)
_AGE = re.compile(r"(\d{1,4})([dmy])", re.ASCII)
_DAYS = {"d": 1, "m": 30, "y": 365}
"""Google says only: day, month, year."""
_EAST = timezone(timedelta(hours=1))
_SIZE = re.compile(r"(\d{1,15})(?:\.(\d{1,9}))?([kmg]?)(i?)b?", re.ASCII)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3}

MAX_DAYS = 3_650
T = TypeVar("T")

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


CATEGORIES = {
    "primary": "CATEGORY_PERSONAL",
    **{
        name: f"CATEGORY_{name.upper()}"
        for name in ("social", "promotions", "updates", "forums", "reservations", "purchases")
    },
}
"""How Gmail labels what it sorts by itself."""
THINGS: Mapping[str, Query] = {
    "attachment": HasAttachment(),
    "attachments": HasAttachment(),
    "userlabels": HasUserLabel(),
    "nouserlabels": Not(HasUserLabel()),
}
ARCHIVE = AllOf(tuple(Not(Label(name)) for name in ("INBOX", "SPAM", "TRASH", "DRAFT", "SENT")))


@dataclass(frozen=True, slots=True)
class Frame:
    """What relative times refer to."""

    zone: tzinfo
    now: datetime | None = None


def term(field: str, word: Token, frame: Frame) -> Query:
    """Give the meaning of a word or phrase under a field, "" for none. Raises SearchError."""
    if not field:
        return Words(word.text)
    meaning = _MEANINGS.get(field)
    return meaning(word, frame) if meaning else Field(field, word.text)


def _place(word: Token, _: Frame) -> Query:
    place = word.text.lower()
    if place == "archive":
        return ARCHIVE
    return AllOf(()) if place == "anywhere" else Label(PLACES.get(place, word.text))


def _category(word: Token, _: Frame) -> Query:
    return Label(_known(word, "category", CATEGORIES))


def _state(word: Token, _: Frame) -> Query:
    return _known(word, "is", STATES)


def _has(word: Token, _: Frame) -> Query:
    return _known(word, "has", THINGS)


def _known(word: Token, field: str, meanings: Mapping[str, T]) -> T:
    meaning = meanings.get(word.text.lower())
    if meaning is None:
        raise SearchError(f"'{field}:' takes {', '.join(meanings)}, not '{word.text}'", word.column)
    return meaning


def _label(word: Token, _: Frame) -> Query:
    return Label(word.text)


def _message_id(word: Token, _: Frame) -> Query:
    return MessageId(word.text.strip().strip("<>"))


def _larger(word: Token, _: Frame) -> Query:
    return Size(above=_bytes(word))


def _smaller(word: Token, _: Frame) -> Query:
    return Size(below=_bytes(word))


def _after(word: Token, frame: Frame) -> Query:
    time, floating = _time(word, frame.zone)
    return Date(since=time, floating=floating)


def _before(word: Token, frame: Frame) -> Query:
    time, floating = _time(word, frame.zone)
    return Date(until=time, floating=floating)


def _newer_than(word: Token, frame: Frame) -> Query:
    seconds = _age(word)
    if frame.now is None:
        return Age(under=seconds)
    # Strictly less long ago, on either way of asking.
    return Date(since=frame.now - timedelta(seconds=seconds) + timedelta(microseconds=1))


def _older_than(word: Token, frame: Frame) -> Query:
    seconds = _age(word)
    if frame.now is None:
        return Age(over=seconds)
    return Date(until=frame.now - timedelta(seconds=seconds))


def _age(word: Token) -> int:
    match = _AGE.fullmatch(word.text.lower())
    days = int(match[1]) * _DAYS[match[2]] if match else 0
    if not 0 < days <= MAX_DAYS:
        message = f"'{word.text}' is no age of at most ten years; write 2d, 3m or 1y (days, months, years)"
        raise SearchError(message, word.column)
    return days * 86_400


def _bytes(word: Token) -> int:
    """Read a size: MB is 10^6 bytes, MiB 2^20, M the same as MB."""
    match = _SIZE.fullmatch(word.text.lower())
    if match is None:
        raise SearchError(f"'{word.text}' is no size; write 10M, 500KB or 2MiB", word.column)
    number = float(f"{match[1]}.{match[2] or 0}") if match[2] else int(match[1])
    return int(number * (1024 if match[4] else 1000) ** _POWERS[match[3]])


def _time(word: Token, zone: tzinfo) -> tuple[datetime, bool]:
    """Read a time, and whether its zone was ours to say."""
    text = _AMERICAN.sub(r"\3/\1/\2", word.text) if _AMERICAN.fullmatch(word.text) else word.text
    time = parse_time(text, zone)
    if time is None:
        raise SearchError(
            f"'{word.text}' is no date; write 2026/03/31, 2026-03-31T09:00:00Z or epoch seconds", word.column
        )
    elsewhere = parse_time(text, _EAST if time.utcoffset() != timedelta(hours=1) else UTC)
    return time, elsewhere != time


_MEANINGS: Mapping[str, Callable[[Token, Frame], Query]] = {
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
    "newer_than": _newer_than,
    "older_than": _older_than,
    "category": _category,
}
