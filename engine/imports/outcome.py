"""What an import gives: rules as plain maps and lists, and what could not be said in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.errors import Place


@dataclass(frozen=True)
class Loss:
    """Something of the source that the rules do not say, and why."""

    place: Place
    what: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"


@dataclass(frozen=True)
class Imported:
    """The items of `rules`, in order, and what is lost."""

    rules: tuple[Any, ...]
    losses: tuple[Loss, ...] = ()
    notes: tuple[Loss, ...] = ()
    """What is kept, and a person should know of."""
    templates: Mapping[str, str] = field(default_factory=dict)
    """Template files that the rules need, by name."""
