"""JSON that is read and written again with every number as it was written: 9.90 stays 9.90."""

from __future__ import annotations

import json
from typing import Any, NoReturn


class Written(str):
    """A number as it was written."""

    __slots__ = ()


def load(text: str) -> Any:
    """Read JSON. Raises ValueError, and RecursionError for what is nested too deeply."""
    return json.loads(text, parse_float=Written, parse_int=Written, parse_constant=no_number)


def dump(value: Any) -> str:
    """Write JSON."""
    if isinstance(value, Written):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{dump(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(dump, value)) + "]"
    return json.dumps(value)


def no_number(name: str) -> NoReturn:
    """Refuse NaN and Infinity, which are no JSON (RFC 8259, section 6)."""
    raise ValueError(f"{name} is no JSON")
