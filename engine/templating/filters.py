"""The filters that templates may use: each linear in what it reads and bounded in what it gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any
from urllib.parse import quote as percent_encode

from jinja2 import Undefined, pass_context
from jinja2.runtime import Context

from engine.templating.limits import BUDGET, Budget, LimitError, check_length, cost
from engine.templating.views import AddressView

MAX_INDENT = 20
SCALARS = (str, int, float, date, AddressView)
UNITS = ("bytes", "kB", "MB", "GB")


def text(value: Any) -> str:
    """Give the text of one scalar; lists and objects have none."""
    if isinstance(value, Undefined):
        return str(value)  # strict: raises and names what is missing
    if value is None:
        return ""
    if not isinstance(value, SCALARS):
        raise LimitError("prints a list or an object; use `join`, a loop or one of its fields")
    return str(value)


def _replace(value: Any, old: str, new: str) -> str:
    source = text(value)
    check_length(len(source) + source.count(old) * (len(new) - len(old)))
    return source.replace(old, new)


def _join(values: Iterable[Any], separator: str = "") -> str:
    parts = [text(value) for value in values]
    check_length(sum(map(len, parts)) + len(separator) * len(parts))
    return separator.join(parts)


def _indent(value: Any, width: int = 4) -> str:
    if not 0 <= width <= MAX_INDENT:
        raise LimitError(f"indents by more than {MAX_INDENT} blanks")
    return text(value).replace("\n", "\n" + " " * width)


def _truncate(value: Any, length: int = 255) -> str:
    source = text(value)
    return source if len(source) <= length else source[:length].rstrip() + "…"


def _default(value: Any, other: Any = "", blank: bool = False) -> Any:
    return other if isinstance(value, Undefined) or (blank and not value) else value


def _int(value: Any, default: int = 0) -> int:
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return default


def _round(value: float, digits: int = 0) -> float:
    return round(value, min(max(digits, 0), 10))


def _filesize(value: float) -> str:
    size, unit = float(value), 0
    while size >= 1000 and unit < len(UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.{1 if unit else 0}f} {UNITS[unit]}"


def _listing(value: Any) -> list[Any]:
    return list(value)


PLAIN: dict[str, Callable[..., Any]] = {
    "upper": lambda value: text(value).upper(),
    "lower": lambda value: text(value).lower(),
    "capitalize": lambda value: text(value).capitalize(),
    "title": lambda value: text(value).title(),
    "trim": lambda value: text(value).strip(),
    "string": text,
    "first": lambda value: _listing(value[:1])[0],
    "last": lambda value: _listing(value[-1:])[0],
    "length": len,
    "reverse": lambda value: value[::-1],
    "sort": sorted,
    "list": _listing,
    "join": _join,
    "replace": _replace,
    "indent": _indent,
    "truncate": _truncate,
    "default": _default,
    "d": _default,
    "int": _int,
    "round": _round,
    "filesize": _filesize,
    "urlencode": lambda value: percent_encode(text(value), safe="/"),
}


def paid(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let a filter pay for what it reads and gives, and keep it from being run while compiling."""

    @pass_context
    def filtered(context: Context, value: Any, *args: Any, **kwargs: Any) -> Any:
        budget: Budget = context.parent[BUDGET]
        budget.left -= cost(value)
        for arg in args:
            budget.left -= cost(arg)
        for arg in kwargs.values():
            budget.left -= cost(arg)
        result = function(value, *args, **kwargs)
        budget.spend(cost(result))
        return result

    return filtered
