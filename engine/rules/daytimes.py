"""Times of day as rules write them: the next such time in the mailbox's zone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, WithJsonSchema

from engine.rules import hints as of_others
from engine.rules.choices import choices
from engine.rules.effects import DayTimes, Moment
from engine.rules.strict import ManyWords, Strict, some
from engine.rules.times import DAYS

_TIME = re.compile(r"(\d{1,2}):(\d{2})", re.ASCII)
_TIME_SCHEMA = {"type": "string", "pattern": r"^\s*([01]?\d|2[0-3]):[0-5]\d\s*$"}
_TIMES_SCHEMA = {"anyOf": [_TIME_SCHEMA, {"type": "array", "items": _TIME_SCHEMA, "minItems": 1}]}
_DAYS_AHEAD = 9
"""A weekday comes again within so many days, one that the clocks skip part of included."""


def minute_of_day(text: Any) -> int:
    """Read a time of day. Raises ValueError."""
    found = _TIME.fullmatch(text.strip()) if isinstance(text, str) else None
    hour, minute = (int(part) for part in found.groups()) if found else (24, 0)
    if hour > 23 or minute > 59:
        raise ValueError(f"'{text}' is no time of day, such as 08:00")
    return hour * 60 + minute


def _times(value: Any) -> Any:
    for text in some(value) if isinstance(value, str | list) else (value,):
        minute_of_day(text)
    return value


class At(Strict):
    """The next such time, in the mailbox's time zone; daylight saving is followed."""

    bare: ClassVar[str] = "time"
    hints: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("day", "days", "weekdays", "on"), "write 'weekday'"),
        **dict.fromkeys(("times", "hour"), "write 'time'"),
        **dict.fromkeys(("timezone", "zone", "tz"), "it is the mailbox's, in postroom.yaml"),
    }

    time: Annotated[ManyWords, BeforeValidator(_times), WithJsonSchema(_TIMES_SCHEMA)] = Field(
        description="A time of day such as 08:00, or a list of them."
    )
    weekday: Annotated[tuple[str, ...], *choices("weekday", DAYS, of_others.DAYS)] = Field(
        (), description="The days on which it may be, such as [mon, fri]; every day unless given."
    )

    @property
    def times(self) -> DayTimes:
        """Give it as what is written down of it."""
        return DayTimes(
            minutes=tuple(sorted({minute_of_day(text) for text in self.time})),
            weekdays=tuple(sorted({DAYS[name] for name in self.weekday})),
        )


def read_at(text: str) -> DayTimes | Moment:
    """Read a time of day, or a moment with its offset from UTC (ISO 8601). Raises ValueError."""
    if _TIME.fullmatch(text):
        return DayTimes(minutes=(minute_of_day(text),))
    try:
        moment = datetime.fromisoformat(text)
        seconds = int(moment.timestamp())
    except (ValueError, OverflowError):
        moment, seconds = None, 0
    if moment is None or moment.tzinfo is None:
        raise ValueError("is neither a time of day such as 08:00 nor a moment such as 2026-03-10T08:00+01:00")
    return Moment(seconds=max(seconds, 0))


def next_time(times: DayTimes, after: datetime, zone: tzinfo) -> datetime:
    """Give the first such time after a moment, in UTC.

    A time that the clocks skip counts as after the gap, one that comes twice as the first.
    """
    day = after.astimezone(zone).date()
    for ahead in range(_DAYS_AHEAD):
        date = day + timedelta(days=ahead)
        if times.weekdays and date.weekday() not in times.weekdays:
            continue
        clock = (time(*divmod(minute, 60), tzinfo=zone) for minute in times.minutes)
        moments = (datetime.combine(date, one).astimezone(UTC) for one in clock)
        if later := [moment for moment in moments if moment > after]:
            return min(later)
    raise AssertionError("no day of the week is further away than a week")
