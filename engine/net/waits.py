"""How long a service asks us to wait, in all the forms that services use."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

SHORTEST_S = 1.0
LONGEST_S = 25 * 3600.0
"""No header, however mistaken, stops us for much longer than a daily limit can."""
LONGEST_OTHERWISE_S = 3600.0
"""Nor, where nothing speaks of a day's allowance, for longer than one more refusal an hour is worth."""


def wait_until(headers: Mapping[str, str], now: float) -> float:
    """Tell when to call again (epoch seconds), by `Retry-After`, else by `X-RateLimit-*`.

    `Retry-After` is read as seconds, as an HTTP date (RFC 9110, section 10.2.3) and as an ISO-8601
    date-time (Zoom's daily limit). `headers` must look names up whatever their case.
    """
    until = _moment(headers.get("retry-after", ""), now)
    if until is None:
        until = _moment(headers.get("x-ratelimit-reset", ""), now)
    if until is None and is_daily(headers):
        until = _next_day(now)
    return min(max(until or 0.0, now + SHORTEST_S), now + _longest(headers))


def is_daily(headers: Mapping[str, str]) -> bool:
    """Tell whether it is a day's allowance that is spent."""
    return "daily" in headers.get("x-ratelimit-type", "").lower()


def _longest(headers: Mapping[str, str]) -> float:
    """A day where the type says so, or where there is none and the wait has the form of a daily limit."""
    untyped = not headers.get("x-ratelimit-type", "").strip()
    daily = is_daily(headers) or (untyped and _is_iso(headers.get("retry-after", "").strip()))
    return LONGEST_S if daily else LONGEST_OTHERWISE_S


def _is_iso(text: str) -> bool:
    try:
        return _number(text) is None and datetime.fromisoformat(text) is not None
    except ValueError:
        return False


def _moment(text: str, now: float) -> float | None:
    text = text.strip()
    if not text or len(text) > 64:
        return None
    number = _number(text)
    return _date(text) if number is None else _of_number(number, now)


def _of_number(number: float, now: float) -> float:
    """Read a number as a delay, an epoch time, or an epoch time in milliseconds, by its size."""
    if number < 1e9:
        return now + number
    return number / 1000 if number > 1e11 else number


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _date(text: str) -> float | None:
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = read(text)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        except (ValueError, TypeError, OverflowError, IndexError):
            continue
    return None


def _next_day(now: float) -> float:
    today = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return (today + timedelta(days=1)).timestamp()
