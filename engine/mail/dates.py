"""Dates as mail and people write them. Nothing here raises."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from email.utils import parsedate_to_datetime

from engine.mail.headers import Headers

MAX_DATE = 200


def message_date(headers: Headers) -> datetime | None:
    """Read the Date field (RFC 5322, section 3.6.1), with a zone; None when absent or broken."""
    return parse_date(headers.text("Date"))


def arrival(headers: Headers) -> datetime | None:
    """Say when the last server took it, by the topmost Received (RFC 5321, section 4.4), else by Date."""
    for value in headers.all("Received")[:1]:
        if date := parse_date(value.rpartition(";")[2].strip()):
            return date
    return message_date(headers)


def parse_date(text: str) -> datetime | None:
    """Read a date of a header field; without a zone it is UTC."""
    try:
        date = parsedate_to_datetime(text[:MAX_DATE])
        return in_range(date.replace(tzinfo=date.tzinfo or UTC))
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def parse_time(text: str, zone: tzinfo = UTC) -> datetime | None:
    """Read `2026/03/31`, an ISO date or time, or epoch seconds; without a zone it is in `zone`."""
    try:
        if text.isascii() and text.isdigit() and len(text) > 8:
            return datetime.fromtimestamp(int(text[:12]), UTC) if len(text) <= 12 else None
        date = datetime.fromisoformat(_padded(text))
        return in_range(date if date.tzinfo else date.replace(tzinfo=zone))
    except (ValueError, OverflowError, OSError):
        return None


def in_range(date: datetime) -> datetime:
    """Refuse the first and the last day, which no zone can shift. Raises OverflowError."""
    date.astimezone(UTC)
    return date


def _padded(text: str) -> str:
    """Make `2026/3/1` an ISO date."""
    if "/" not in text:
        return text
    year, month, day = text.split("/")
    return f"{int(year):04}-{int(month):02}-{int(day):02}"
