"""What a message must show before a condition can hold of it: the material of the index over rules."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, ClassVar, Protocol

if TYPE_CHECKING:
    from engine.rules.text import Text
    from engine.rules.view import View


class How(IntEnum):
    """How a text is looked for; the lower, the fewer messages show it."""

    IS = 0
    BEGINS = 1
    ENDS = 2
    WITHIN = 3
    REGEX = 4
    ANY = 6
    """Any text at all; the clue names none."""


class Source(Protocol):
    """A part of a message that clues are looked for in; equal sources read the same.

    Reading may raise, as a condition's own reading does: every rule with a clue there is then asked.
    """

    rank: ClassVar[int]
    """The lower, the cheaper to read and the more telling."""

    def __hash__(self) -> int: ...

    def keys(self, view: View) -> Iterable[str]:
        """Give the whole texts that `IS` compares with, in their comparable form."""
        ...

    def texts(self, view: View) -> Iterable[Text]:
        """Give the texts that the other kinds are looked for in."""
        ...


@dataclass(frozen=True, slots=True)
class Clue:
    """One place where one of some texts has to be; literal texts in their comparable form."""

    source: Source
    how: How
    texts: frozenset[str] = frozenset()

    @property
    def weight(self) -> int:
        """How many messages to expect it in."""
        short = self.how is How.WITHIN and min(map(len, self.texts)) < 3
        return self.source.rank + self.how + (2 if short else 0)


Clues = tuple[Clue, ...]
"""A condition's clues: it is certainly false of a message that shows none of them."""


def narrowest(offers: Iterable[Clues | None]) -> Clues | None:
    """Of conditions that must all hold, take the clues that fewest messages show."""
    return min((clues for clues in offers if clues is not None), key=_weight, default=None)


def either(offers: Iterable[Clues | None]) -> Clues | None:
    """Of conditions of which one must hold, take the clues of all; None when one of them has none."""
    gathered: dict[Clue, None] = {}
    for clues in offers:
        if clues is None:
            return None
        gathered |= dict.fromkeys(clues)
    return tuple(gathered)


def _weight(clues: Clues) -> int:
    return max((clue.weight for clue in clues), default=0)
