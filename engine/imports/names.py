"""Ids for imported rules: what they do in a few letters, each once."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

MAX_SLUG = 40
MAX_TEXT = 400
"""Characters of a text that are read for an id."""
_CAPTURE = re.compile(r"\{\{[^}]*\}\}")
_OTHER = re.compile(r"[^a-z0-9]+")


def slug(text: str) -> str:
    """Write a text in the letters that an id may have."""
    plain = unicodedata.normalize("NFKD", _CAPTURE.sub("", text[:MAX_TEXT]))
    return _OTHER.sub("-", plain.encode("ascii", "ignore").decode().lower()).strip("-")[:MAX_SLUG].strip("-")


class Ids:
    """Gives every id once, below a common beginning."""

    def __init__(self, prefix: str) -> None:
        self._prefix = slug(prefix)[:24].strip("-") or "imported"
        self._counts: dict[str, int] = {}

    def take(self, wish: str) -> str:
        name = "-".join(filter(None, [self._prefix, slug(wish)]))
        while name in self._counts:
            self._counts[name] += 1
            name = f"{name}-{self._counts[name]}"
        self._counts[name] = 1
        return name


def wish_of(actions: Sequence[Mapping[str, Any]], otherwise: str) -> str:
    """Name a rule by the first label it puts on, else by what it does."""
    for action in actions:
        added = action.get("label", {}).get("add") if isinstance(action.get("label"), dict) else None
        if added:
            return str(added[0])
    return next(iter(actions[0])) if actions else otherwise
