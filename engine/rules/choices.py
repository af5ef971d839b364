"""One word, or a list of words, out of a fixed set."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from pydantic import BeforeValidator, WithJsonSchema

from engine.rules.findings import NO_HINTS, unknown
from engine.rules.strict import listed


def choices(
    kind: str, known: Collection[str], hints: Mapping[str, str] = NO_HINTS
) -> tuple[BeforeValidator, WithJsonSchema]:
    """Make the annotations of a field that takes one or more of the known words."""
    one = {"enum": sorted(known)}
    schema = {"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]}
    return BeforeValidator(chooser(kind, known, hints)), WithJsonSchema(schema)


def chooser(
    kind: str, known: Collection[str], hints: Mapping[str, str] = NO_HINTS
) -> Callable[[Any], tuple[str, ...]]:
    """Make the function that checks such words."""

    def read(value: Any) -> tuple[str, ...]:
        words = listed(value)
        if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
            raise ValueError(f"must be one of {', '.join(sorted(known))}, or a list of them")
        for word in words:
            if word not in known:
                raise ValueError(unknown(kind, word, known, hints))
        return tuple(words)

    return read
