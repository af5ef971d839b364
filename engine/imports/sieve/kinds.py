"""What a test compares texts with, as the kinds of the rule language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.imports.sieve.expression import (
    Expression,
    Untranslatable,
    escaped,
    from_posix,
    from_wildcards,
    wildcards,
)
from engine.imports.sieve.numbers import numeric

OCTET, NUMERIC = "i;octet", "i;ascii-numeric"
Kinds = Mapping[str, Any]
"""Such as {contains: [a, b]}: of a list, one must fit."""


@dataclass(frozen=True)
class Comparison:
    """A match type, a comparator, and the keys, of which one must fit."""

    match: str
    comparator: str
    keys: tuple[str, ...]
    relation: str = ""

    @property
    def flags(self) -> str:
        return "(?s)" if self.comparator == OCTET else "(?is)"


def text_kinds(asked: Comparison, names: Mapping[int, str]) -> list[Kinds]:
    """Give alternatives, of which one must hold of a text. Raises Untranslatable.

    With names, its groups are captured under them.
    """
    if asked.comparator == NUMERIC or asked.match == "value":
        return _patterns(_numeric(asked))
    if asked.match == "regex":
        return _patterns(from_posix(key, asked.flags).written(names) for key in asked.keys)
    if asked.match not in ("is", "contains", "matches"):
        raise Untranslatable(f"texts cannot be compared by ':{asked.match}'")
    if asked.match == "matches" and names:
        return _patterns(from_wildcards(key, asked.flags).written(names) for key in asked.keys)
    if asked.comparator == OCTET:
        return _patterns(_exactly(asked.match, key) for key in asked.keys)
    return _gathered(_literal(asked.match, key) for key in asked.keys)


def groups_of(asked: Comparison) -> int:
    """Say how many groups the patterns have at most; -1 where a match captures nothing."""
    if asked.match == "matches":
        return max(sum(piece in ("*", "?") for piece in wildcards(key)) for key in asked.keys)
    if asked.match == "regex":
        return max(from_posix(key).groups for key in asked.keys)
    return -1


def _patterns(expressions: Iterable[str]) -> list[Kinds]:
    found = list(dict.fromkeys(expression for expression in expressions if expression))
    return [{"regex": found if len(found) > 1 else found[0]}] if found else []


def _numeric(asked: Comparison) -> list[str]:
    relation = "eq" if asked.match == "is" else asked.relation
    if asked.comparator != NUMERIC or asked.match not in ("is", "value"):
        if relation in ("eq", "ne") and asked.match == "value" and asked.comparator != NUMERIC:
            raise Untranslatable("texts are compared by ':is' and not by ':value'")
        raise Untranslatable("the order of texts (':value') is not compared")
    try:
        return [numeric(relation, key) for key in asked.keys]
    except ValueError as error:
        raise Untranslatable(str(error)) from None


def _exactly(match: str, key: str) -> str:
    if match == "matches":
        return from_wildcards(key, "(?s)").written({})
    return rf"(?s)\A{escaped(key)}\z" if match == "is" else f"(?s){escaped(key)}"


def _gathered(pairs: Iterable[tuple[str, str]]) -> list[Kinds]:
    """Put the keys of one kind together; a text that is asked for nothing has only to be there."""
    found: dict[str, list[str]] = {}
    for kind, key in pairs:
        found.setdefault(kind, []).append(key)
    if "exists" in found:
        return [{"exists": True}]
    return [{kind: one_or_many(keys)} for kind, keys in found.items()]


def one_or_many(values: Iterable[str]) -> str | list[str]:
    kept = list(dict.fromkeys(values))
    return kept[0] if len(kept) == 1 else kept


def _literal(match: str, key: str) -> tuple[str, str]:
    """Choose the plainest kind for a key."""
    if match == "matches":
        return plainest(key)
    if match == "contains" and not key:
        return "exists", ""
    return match, key


def plainest(pattern: str) -> tuple[str, str]:
    """Say what a pattern with wildcards asks, by a literal kind where one does it."""
    pieces = list(wildcards(pattern))
    first, last = pieces[:1] == ["*"], pieces[-1:] == ["*"]
    middle = pieces[first : len(pieces) - (last and len(pieces) > first)]
    literal = "".join(piece[-1] for piece in middle)
    if any(piece in ("*", "?") for piece in middle):
        return "glob", as_glob(pieces)
    if not middle:
        return ("exists", "") if first else ("is", "")
    kinds = {(True, True): "contains", (True, False): "ends_with", (False, True): "starts_with"}
    return kinds.get((first, last), "is"), literal


def as_glob(pieces: Iterable[str]) -> str:
    """Write wildcards and literal characters as a glob: a backslash makes `*`, `?` and itself literal."""
    made = []
    for piece in pieces:
        plain = piece if piece in ("*", "?") else piece[-1]
        made.append(
            "\\" + plain if len(piece) > 1 and plain in "*?\\" else "\\\\" if plain == "\\" else plain
        )
    return "".join(made)


__all__ = ["Comparison", "Expression", "Untranslatable", "groups_of", "text_kinds"]
