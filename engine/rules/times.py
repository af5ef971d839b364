"""Days and times as rules write them, read in a time zone that is known when a message is judged."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from engine.rules.findings import unknown
from engine.rules.strict import some

_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DAYS: Mapping[str, int] = {
    **{name[:3]: number for number, name in enumerate(_NAMES)},
    **{name: number for number, name in enumerate(_NAMES)},
}
"""Weekdays by their names and the first three letters of those; Monday is 0."""

_SPAN = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})", re.ASCII)
_MIDNIGHT = 24 * 60


@dataclass(frozen=True)
class WrittenDate:
    """A day or a time, beside what its author wrote."""

    value: datetime
    """With a zone only if its author named one."""
    source: str

    def at(self, zone: tzinfo) -> datetime:
        """Give the moment in UTC; a time that the clocks skip counts as after the gap."""
        placed = self.value if self.value.tzinfo else self.value.replace(tzinfo=zone)
        return placed.astimezone(UTC)


@dataclass(frozen=True)
class Span:
    """A part of the day in minutes since midnight, beside what its author wrote; it may go over midnight."""

    start: int
    end: int
    source: str

    def covers(self, local: datetime) -> bool:
        """Say whether a local time lies in it; its first minute counts and its last does not."""
        minute = local.hour * 60 + local.minute
        if self.start < self.end:
            return self.start <= minute < self.end
        return minute >= self.start or minute < self.end


def _date(value: Any) -> WrittenDate:
    try:
        date = datetime.fromisoformat(value)
        date.replace(tzinfo=date.tzinfo or UTC).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise ValueError("must be a day or time such as 2026-03-01 or 2026-03-01T09:30+01:00") from None
    if not 1 < date.year < 9999:
        raise ValueError("must be a day or time in the years 2 to 9998")
    return WrittenDate(date, value)


def _span(value: Any) -> Span:
    found = _SPAN.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError("must be two times of day, such as 08:00-18:00")
    hour, minute, end_hour, end_minute = map(int, found.groups())
    start, end = hour * 60 + minute, end_hour * 60 + end_minute
    if minute > 59 or end_minute > 59 or start >= _MIDNIGHT or end > _MIDNIGHT:
        raise ValueError(
            f"'{value}' names no time of day; write times from 00:00 to 24:00, such as 08:00-18:00"
        )
    if start == end:
        raise ValueError(f"'{value}' begins where it ends; write 00:00-24:00 for the whole day")
    return Span(start, end, value)


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _zone(value: Any) -> ZoneInfo:
    if not isinstance(value, str):
        raise ValueError("must be the name of a time zone, such as Europe/Berlin")
    if value in _zones():
        return ZoneInfo(value)
    name = value
    city = [zone for zone in sorted(_zones()) if zone.lower().endswith(f"/{name.lower()}")]
    if city:
        raise ValueError(f"unknown time zone '{name}'; did you mean '{city[-1]}'?")
    raise ValueError(unknown("time zone", name, _zones()) + " (a name such as Europe/Berlin)")


_AS_WRITTEN = PlainSerializer(lambda written: written.source)
_SPAN_SCHEMA = {"type": "string", "pattern": r"^\s*\d{1,2}:\d{2}\s*-\s*\d{1,2}:\d{2}\s*$"}

Date = Annotated[
    WrittenDate,
    BeforeValidator(_date),
    _AS_WRITTEN,
    WithJsonSchema(
        {"type": "string", "pattern": r"^\d{4}-?[W\d]", "examples": ["2026-03-01", "2026-03-01T09:30+01:00"]}
    ),
]
Spans = Annotated[
    tuple[Annotated[Span, BeforeValidator(_span), _AS_WRITTEN], ...],
    BeforeValidator(some),
    WithJsonSchema({"anyOf": [_SPAN_SCHEMA, {"type": "array", "items": _SPAN_SCHEMA, "minItems": 1}]}),
]
Zone = Annotated[
    ZoneInfo,
    BeforeValidator(_zone),
    PlainSerializer(lambda zone: zone.key),
    WithJsonSchema({"type": "string", "examples": ["Europe/Berlin", "UTC"]}),
]
