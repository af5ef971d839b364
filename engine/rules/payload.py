"""The JSON that an event of a hook brings along, and paths into it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from engine.errors import ConditionError
from engine.rules.view import View

MAX_STEPS = 50
MAX_PAYLOAD = 10_000_000
"""Characters that are read."""
MAX_NESTED = 200

PAYLOAD = " payload"
"""Where the view keeps it once it is read."""
_STEP = re.compile(r"""\.?([^.\[\]"'\s]+)|\[(\d{1,6})\]|\[(\*)\]|\[\s*(?:"([^"]*)"|'([^']*)')\s*\]""")
EXAMPLE = "order.total, items[0].name, items[*].sku or meta['a.b']"


class Number(str):
    """A JSON number, as it was written."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Path:
    """Where in a payload to look: names, places in lists, and None for all members of a list."""

    source: str
    steps: tuple[str | int | None, ...]

    def values(self, view: View) -> list[Any]:
        """Give the values there, null counting as none. Raises ConditionError for what is no JSON."""
        found = [payload_of(view)]
        for step in self.steps:
            found = [inner for value in found for inner in _inner(value, step)]
        return [value for value in found if value is not None]


def read_path(text: str) -> Path:
    """Read a path such as `order.items[0].name`. Raises ValueError."""
    steps: list[str | int | None] = []
    at = 0
    while at < len(text) and len(steps) <= MAX_STEPS:
        found = _STEP.match(text, at)
        if not found or (found[1] and (found[0].startswith(".") != bool(steps))):
            raise ValueError(f"'{text}' is no path at its sign {at + 1}; write {EXAMPLE}")
        steps.append(_step(found))
        at = found.end()
    if not steps or len(steps) > MAX_STEPS:
        raise ValueError(f"a path has from 1 to {MAX_STEPS} steps, such as {EXAMPLE}")
    return Path(text, tuple(steps))


def _step(found: re.Match[str]) -> str | int | None:
    name, place, every, double, single = found.groups()
    if every:
        return None
    return int(place) if place else name or double or single or ""


def _inner(value: Any, step: str | int | None) -> Iterator[Any]:
    if step is None:
        yield from value if isinstance(value, list) else ()
    elif isinstance(step, int):
        yield from value[step : step + 1] if isinstance(value, list) else ()
    elif isinstance(value, dict) and step in value:
        yield value[step]


def payload_of(view: View) -> Any:
    """Read the payload, once; None where the event has none. Raises ConditionError for what is no JSON."""
    text = view.beside.payload
    return view.kept(PAYLOAD, lambda: _read(text)) if text else None


def _read(text: str) -> Any:
    if len(text) > MAX_PAYLOAD:
        raise ConditionError(f"the payload is longer than {MAX_PAYLOAD} characters")
    try:
        return json.loads(text, parse_float=Number, parse_int=Number, parse_constant=Number)
    except (ValueError, RecursionError):
        raise ConditionError("the payload is no JSON, or nested too deeply") from None


def text_of(value: Any) -> str | None:
    """Give a single value as text, numbers as they were written; None for lists and maps."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str) else None
