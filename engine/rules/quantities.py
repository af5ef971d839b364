"""Quantities with units: sizes in bytes, durations in seconds, and ways to compare numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from engine.rules import hints
from engine.rules.strict import NOT_EMPTY, Strict

BYTES: Mapping[str, int] = {
    "B": 1,
    **{f"{prefix}B": 1000**power for power, prefix in enumerate("KMGT", 1)},
    **{prefix: 1000**power for power, prefix in enumerate("KMGT", 1)},
    **{f"{prefix}IB": 1024**power for power, prefix in enumerate("KMGT", 1)},
}
SECONDS: Mapping[str, int] = {"S": 1, "M": 60, "H": 3600, "D": 86_400, "W": 7 * 86_400}

TEN_YEARS = 10 * 366 * SECONDS["D"]

_COUNT = re.compile(r"\d{1,15}", re.ASCII)
_QUANTITY = re.compile(r"\s*(\d{1,15}(?:\.\d{1,9})?)\s*([A-Za-z]*)\s*", re.ASCII)
_PREFIXES = {"": "B", "kilo": "KB", "mega": "MB", "giga": "GB", "tera": "TB"}
_MEANT: Mapping[str, str] = {
    **dict.fromkeys(("sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), "m"),
    **dict.fromkeys(("hr", "hrs", "hour", "hours"), "h"),
    **dict.fromkeys(("day", "days"), "d"),
    **dict.fromkeys(("wk", "week", "weeks"), "w"),
    **{f"{word}byte{end}": unit for word, unit in _PREFIXES.items() for end in ("", "s")},
}
"""Units as people write them out."""

_NUMBER = r"^\s*\d{1,15}(\.\d{1,9})?\s*"
_SIZE = rf"{_NUMBER}([kKmMgGtT]([iI]?[bB])?|[bB])\s*$"
_DURATION = rf"{_NUMBER}[smhdwSHDW]\s*$"
"""The shape alone, for editors."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number in its base unit, beside what its author wrote."""

    value: int
    source: str


def _quantity(value: Any, units: Mapping[str, int], example: str) -> Quantity:
    found = _QUANTITY.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"must be a number with a unit, such as {example}{_compared(value)}")
    number, unit = found.groups()
    if not unit and Decimal(number):
        raise ValueError(f"'{value}' has no unit; write a number with one, such as {example}")
    if unit == "M" and units is SECONDS:
        raise ValueError(f"'{value}' may mean minutes or months; write {number}m, or a month as 30d")
    if unit and unit.upper() not in units:
        meant = _MEANT.get(unit.lower(), "")
        said = (
            f"write {number}{meant}"
            if meant.upper() in units
            else f"write a number with a unit, such as {example}"
        )
        raise ValueError(f"unknown unit '{unit}'; {said}")
    return Quantity(int(Decimal(number) * units.get(unit.upper(), 0)), value)


def _compared(value: Any) -> str:
    """Say which kind stands for a sign of comparison."""
    kinds = {">=": "gte", "<=": "lte", ">": "gt", "<": "lt", "=": "eq"}
    text = value.strip() if isinstance(value, str) else ""
    sign = next((sign for sign in kinds if text.startswith(sign)), None)
    return f"; write {{{kinds[sign]}: {text.lstrip('<>= ')}}} for '{text}'" if sign else ""


def read_size(value: Any) -> Quantity:
    """Read bytes: MB is 10^6 and MiB is 2^20. Raises ValueError."""
    return _quantity(value, BYTES, "10KB, 1.5MB or 2MiB")


def read_duration(value: Any) -> Quantity:
    """Read seconds from s, m, h, d or w. Raises ValueError."""
    duration = _quantity(value, SECONDS, "30s, 15m, 12h, 7d or 2w")
    if duration.value <= 0:
        raise ValueError("must be longer than nothing, such as 7d")
    if duration.value > TEN_YEARS:
        raise ValueError("durations in rules are at most ten years")
    return duration


def read_count(value: Any) -> Quantity:
    """Read a whole number without a unit. Raises ValueError."""
    if not isinstance(value, str) or not _COUNT.fullmatch(value.strip()):
        raise ValueError("must be a whole number, such as 3")
    return Quantity(int(value), value)


_AS_WRITTEN = PlainSerializer(lambda quantity: quantity.source)

Size = Annotated[
    Quantity,
    BeforeValidator(read_size),
    _AS_WRITTEN,
    WithJsonSchema(
        {"anyOf": [{"type": "string", "pattern": _SIZE, "examples": ["10KB", "1.5MB", "2MiB"]}, {"const": 0}]}
    ),
]
Count = Annotated[
    Quantity,
    BeforeValidator(read_count),
    PlainSerializer(lambda quantity: quantity.value),
    WithJsonSchema({"type": ["integer", "string"], "pattern": r"^\s*\d{1,15}\s*$", "minimum": 0}),
]
Duration = Annotated[
    Quantity,
    BeforeValidator(read_duration),
    _AS_WRITTEN,
    WithJsonSchema({"type": "string", "pattern": _DURATION, "examples": ["90s", "12h", "7d"]}),
]


class SizeKinds(Strict):
    """Ways to compare a size. All that are given must hold."""

    hints: ClassVar[Mapping[str, str]] = hints.NUMBER
    bare: ClassVar[str] = "eq"
    map_schema: ClassVar[Mapping[str, Any]] = NOT_EMPTY

    gt: Size | None = Field(None, description="More than.")
    gte: Size | None = Field(None, description="At least.")
    lt: Size | None = Field(None, description="Less than.")
    lte: Size | None = Field(None, description="At most.")
    eq: Size | None = Field(None, description="Exactly.")

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if not any(getattr(self, name) for name in type(self).model_fields):
            raise ValueError(f"asks nothing; write one of {', '.join(self.keys())}")
        return self

    def holds(self, number: int) -> bool:
        """Compare a number."""
        return (
            (self.gt is None or number > self.gt.value)
            and (self.gte is None or number >= self.gte.value)
            and (self.lt is None or number < self.lt.value)
            and (self.lte is None or number <= self.lte.value)
            and (self.eq is None or number == self.eq.value)
        )


class CountKinds(SizeKinds):
    """Ways to compare a count. All that are given must hold."""

    gt: Count | None = Field(None, description="More than.")
    gte: Count | None = Field(None, description="At least.")
    lt: Count | None = Field(None, description="Fewer than.")
    lte: Count | None = Field(None, description="At most.")
    eq: Count | None = Field(None, description="Exactly.")
