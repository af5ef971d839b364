"""Comparisons of numbers as patterns (i;ascii-numeric, RFC 4790, section 9.1).

What begins with no digit is larger than every number.
"""

from __future__ import annotations

from collections.abc import Iterator

_END = r"(?:[^0-9]|\z)"
INFINITE = r"\A" + _END
MAX_DIGITS = 30


def numeric(relation: str, digits: str) -> str:
    """Give the pattern of texts whose leading number stands in a relation to another; "" for none.

    Raises ValueError.
    """
    key = digits[: len(digits) - len(digits.lstrip("0123456789"))].lstrip("0") or "0"
    if not digits[:1].isdigit() or not digits.isascii() or len(key) > MAX_DIGITS:
        raise ValueError(f"'{digits}' is no number")
    alternatives = {
        "eq": [key],
        "lt": list(_less(key)),
        "le": [*_less(key), key],
        "gt": list(_more(key)),
        "ge": [*_more(key), key],
        "ne": [*_less(key), *_more(key)],
    }[relation]
    numbers = rf"\A0*(?:{'|'.join(alternatives)}){_END}" if alternatives else ""
    return "|".join(filter(None, [numbers, INFINITE if relation in ("gt", "ge", "ne") else ""]))


def _more(key: str) -> Iterator[str]:
    """Numbers without leading zeros that are larger, as patterns."""
    yield f"[1-9][0-9]{{{len(key)},}}" if key != "0" else "[1-9][0-9]*"
    for at, digit in enumerate(key if key != "0" else ""):
        if digit != "9":
            yield f"{key[:at]}[{int(digit) + 1}-9]" + _any(len(key) - at - 1)


def _less(key: str) -> Iterator[str]:
    """Numbers without leading zeros that are smaller, as patterns."""
    if key == "0":
        return
    yield "0"
    if len(key) > 1:
        yield f"[1-9][0-9]{{0,{len(key) - 2}}}"
    for at, digit in enumerate(key):
        low = 1 if at == 0 else 0
        if int(digit) > low:
            yield f"{key[:at]}[{low}-{int(digit) - 1}]" + _any(len(key) - at - 1)


def _any(count: int) -> str:
    return f"[0-9]{{{count}}}" if count else ""
