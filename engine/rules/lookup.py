"""Everything that rules look for in one part of a message, found in one go."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import contains

from engine.rules.clues import Clue, How, Source
from engine.rules.multi import Search, escaped, search_literals, search_regexes
from engine.rules.text import Text, to_bytes
from engine.rules.view import View

FEW = 16
"""Literals: so many are found faster one by one."""
LITERAL: Mapping[How, Callable[[str, str], bool]] = {
    How.BEGINS: str.startswith,
    How.ENDS: str.endswith,
    How.WITHIN: contains,
}

Places = tuple[int, ...]
"""Rules, by their places in the order."""
Finder = tuple[Search, Sequence[Places]]
"""A search for patterns, and for each the rules that look for it."""


class Lookup:
    """All clues in one source."""

    def __init__(self, source: Source, clues: Mapping[Clue, Places]) -> None:
        self._source = source
        self._whole = frozenset(place for places in clues.values() for place in places)
        self._any = frozenset(
            place for clue, places in clues.items() if clue.how is How.ANY for place in places
        )
        self._table = table(clues)
        literals = [
            (LITERAL[clue.how], text, places)
            for clue, places in clues.items()
            for text in (clue.texts if clue.how in LITERAL else ())
        ]
        few = len(literals) <= FEW
        self._literals = literals if few else []
        self._folded = [] if few else _finders(search_literals, _edged(clues))
        self._exact = _finders(search_regexes, _patterns(clues, How.REGEX))
        self._keyed = bool(self._table or self._any)
        self._searched = bool(self._literals or self._folded or self._exact)

    def find(self, view: View, found: set[int]) -> None:
        """Add the rules whose clues are there; all of them when the source cannot be read."""
        try:
            if self._keyed:
                rules_of = self._table.get
                for key in self._source.keys(view):
                    if places := rules_of(key):
                        found.update(places)
                    if self._any:
                        found.update(self._any)
            if self._searched:
                for text in self._source.texts(view):
                    self._search(text, found)
        except Exception:  # noqa: BLE001 - what cannot be read is unknown, as in every condition
            found.update(self._whole)

    def _search(self, text: Text, found: set[int]) -> None:
        for shows, part, rules in self._literals:
            if shows(text.folded, part):
                found.update(rules)
        for search, places in self._folded:
            for at in search(text.folded_bytes):
                found.update(places[at])
        for search, places in self._exact:
            for at in search(text.exact_bytes):
                found.update(places[at])


def table(clues: Mapping[Clue, Places]) -> dict[str, Places]:
    """Give the rules that look for each whole text."""
    found: dict[str, Places] = {}
    for clue, places in clues.items():
        for text in clue.texts if clue.how is How.IS else ():
            found[text] = found.get(text, ()) + places
    return found


def _patterns(clues: Mapping[Clue, Places], how: How) -> dict[bytes, Places]:
    found: dict[bytes, Places] = {}
    for clue, places in clues.items():
        for text in map(to_bytes, clue.texts if clue.how is how else ()):
            found[text] = found.get(text, ()) + places
    return found


def _edged(clues: Mapping[Clue, Places]) -> dict[bytes, Places]:
    """Write literals as expressions."""
    found = {escaped(text): places for text, places in _patterns(clues, How.WITHIN).items()}
    found |= {rb"\A" + escaped(text): places for text, places in _patterns(clues, How.BEGINS).items()}
    found |= {escaped(text) + rb"\z": places for text, places in _patterns(clues, How.ENDS).items()}
    return found


def _finders(
    make: Callable[[Sequence[bytes]], list[Search]], patterns: Mapping[bytes, Places]
) -> list[Finder]:
    places = list(patterns.values())
    return [(search, places) for search in make(list(patterns))]
