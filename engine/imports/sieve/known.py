"""Comparisons of texts that the script itself holds, by the rule language's own kinds."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping

from engine.imports.sieve.expression import Expression, from_posix, from_wildcards
from engine.imports.sieve.kinds import NUMERIC, OCTET, Comparison, text_kinds
from engine.rules.patterns import regex
from engine.rules.text import Text, TextKinds

_RELATIONS: Mapping[str, Callable[[str, str], bool]] = {
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
    "eq": operator.eq,
    "ne": operator.ne,
}


def compare(text: str, asked: Comparison) -> bool:
    """Say whether one of the keys fits. Raises Untranslatable."""
    if asked.match == "value" and asked.comparator != NUMERIC:
        fold = str if asked.comparator == OCTET else str.lower
        return any(_RELATIONS[asked.relation](fold(text), fold(key)) for key in asked.keys)
    return any(_kinds(kinds).match_any([Text(text)]) is not None for kinds in text_kinds(asked, {}))


def _kinds(kinds: object) -> TextKinds:
    read = {key: "true" if value is True else value for key, value in dict(kinds).items()}  # type: ignore[call-overload]
    return TextKinds.model_validate(read)


def matches_of(text: str, asked: Comparison) -> tuple[str, ...]:
    """Give what ${0}, ${1}, ... stand for after a comparison that held; nothing if they stay."""
    for key in asked.keys if asked.match in ("matches", "regex") else ():
        make = from_wildcards if asked.match == "matches" else from_posix
        found = _search(make(key, asked.flags), text)
        if found:
            return found
    return ()


def _search(expression: Expression, text: str) -> tuple[str, ...]:
    found = regex(expression.written({})).compiled.search(text.encode("utf-8", "replace"))
    if found is None:
        return ()
    return tuple(
        (found.group(group) or b"").decode("utf-8", "replace") for group in range(expression.groups + 1)
    )
