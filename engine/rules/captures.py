"""Find and fill the uses of what patterns captured: `{{ captures.NAME }}`, also with `| lower`, `| upper`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_USE = re.compile(r"\{\{\s*captures\.([A-Za-z_][A-Za-z0-9_]*)\s*(?:\|\s*(lower|upper)\s*)?\}\}")
_EXPRESSION = re.compile(r"\{[{%](?:(.*?)[%}]\}|.*+)", re.DOTALL)
"""One that is left open takes the rest, so that no other is looked for in it."""
_NAME = re.compile(r"""\bcaptures(?:\.([A-Za-z_][A-Za-z0-9_]*)|\[\s*['"]([^'"]+)['"]\s*\])""")
_DEFAULT = re.compile(r"\|\s*(?:default|d)\b|\bif\b|\bor\b")


def fill(text: str, captures: Mapping[str, str]) -> str:
    """Replace every plain use; a capture that nothing supplied is empty."""
    return _USE.sub(lambda found: _filled(found, captures), text) if "{{" in text else text


def _filled(use: re.Match[str], captures: Mapping[str, str]) -> str:
    """What stands for one use, in lower or upper case where that is asked for."""
    value, case = captures.get(use[1], ""), use[2]
    return value if case is None else value.lower() if case == "lower" else value.upper()


def fill_all(value: Any, captures: Mapping[str, str]) -> Any:
    """Replace every plain use in all texts of a value."""
    if isinstance(value, str):
        return fill(value, captures)
    if isinstance(value, dict):
        return {key: fill_all(inner, captures) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [fill_all(inner, captures) for inner in value]
    return value


def uses(text: str) -> Iterator[tuple[str, bool]]:
    """Give each capture that a text uses, and whether the text copes with its absence."""
    for expression in _EXPRESSION.findall(text):
        copes = bool(_DEFAULT.search(expression))
        for dotted, quoted in _NAME.findall(expression):
            yield dotted or quoted, copes


def only_plain(text: str) -> bool:
    """Say whether a text holds no expression but plain uses of captures."""
    left = _USE.sub("", text)
    return "{{" not in left and "{%" not in left
