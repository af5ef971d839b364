"""What a template asks to be given: inputs with types and defaults."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

Type = Literal["text", "number", "flag", "date", "list", "map"]
TYPES: tuple[Type, ...] = ("text", "number", "flag", "date", "list", "map")
REQUIRED = object()
"""The default of an input that has none."""
MAX_DEPTH = 10
MAX_ITEMS = 10_000
"""Values in one input, at all depths."""
MAX_BITS = 64
_NUMBER = re.compile(r"[-+]?[0-9]{1,18}(\.[0-9]{1,18})?")
_YES, _NO = frozenset({"true", "yes", "1"}), frozenset({"false", "no", "0", ""})


@dataclass(frozen=True, slots=True)
class Input:
    """One declared input."""

    name: str
    type: Type = "text"
    default: Any = REQUIRED

    @property
    def required(self) -> bool:
        return self.default is REQUIRED


def convert(kind: Type, value: Any) -> Any:
    """Make a value of a type. Raises ValueError, whose text holds nothing of the value."""
    return _CONVERT[kind](value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int | float | date):
        raise ValueError("is no text")
    return str(value)


def _number(value: Any) -> int | float:
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        text = value.strip()
        value = float(text) if "." in text else int(text)
    fits = isinstance(value, float) and math.isfinite(value)
    if isinstance(value, bool) or not (fits or (isinstance(value, int) and value.bit_length() <= MAX_BITS)):
        raise ValueError("is no number, such as 12 or 12.50")
    number: int | float = value
    return number


def _flag(value: Any) -> bool:
    text = value.strip().lower() if isinstance(value, str) else value
    if not isinstance(text, bool) and text not in _YES | _NO:
        raise ValueError("is neither true nor false")
    return text if isinstance(text, bool) else text in _YES


def as_date(value: Any) -> date:
    """Make a day or a moment of ISO 8601. Raises ValueError."""
    if isinstance(value, date):
        return value
    try:
        if isinstance(value, str) and len(value) == len("2026-03-10"):
            return date.fromisoformat(value)
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError("is no date, such as 2026-03-10 or 2026-03-10T12:00:00+01:00") from None


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise ValueError("is no list")
    return list(_plain(value))


def _map(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError("is no map")
    return dict(_plain(value))


def plain(value: Any) -> Any:
    """Take JSON values of bounded depth and number alone. Raises ValueError."""
    return _plain(value)


def _plain(value: Any) -> Any:
    left = MAX_ITEMS
    todo: list[tuple[Any, int]] = [(value, 0)]
    while todo:
        item, depth = todo.pop()
        left -= 1
        if left < 0:
            raise ValueError(f"holds more than {MAX_ITEMS:,} values")
        if depth > MAX_DEPTH:
            raise ValueError(f"is nested more than {MAX_DEPTH} levels deep")
        if isinstance(item, Mapping):
            todo += [(inner, depth + 1) for inner in item.values()]
        elif isinstance(item, list | tuple):
            if any(isinstance(inner, list | tuple) for inner in item):
                raise ValueError("holds a list directly in a list; put maps between them")
            todo += [(inner, depth + 1) for inner in item]
        elif isinstance(item, int) and item.bit_length() > MAX_BITS:
            raise ValueError("holds a number that is too large")
        elif not isinstance(item, str | int | float | date | None):
            raise ValueError("holds something else than texts, numbers, lists and maps")
    return value


_CONVERT = {"text": _text, "number": _number, "flag": _flag, "date": as_date, "list": _list, "map": _map}
