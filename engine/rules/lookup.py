"""Everything that rules look for in one part of a message, found in one go."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import re2

from engine.rules.clues import Clue, How, Source
from engine.rules.multi import Searcher, literals, regexes
from engine.rules.text import to_bytes
from engine.rules.view import View

Places = tuple[int, ...]
"""Rules, by their places in the order."""


class Lookup:
    """All clues in one source."""

    def __init__(self, source: Source, clues: Mapping[Clue, Places]) -> None:
        self._source = source
        self._whole = frozenset(place for places in clues.values() for place in places)
        self._any = _flat(clues, How.ANY)
        self._table = table({clue: places for clue, places in clues.items() if clue.how is How.IS})
        self._folded = _Search(clues, LITERALS, literals)
        self._exact = _Search(clues, REGEXES, regexes)

    def find(self, view: View, found: set[int]) -> None:
        """Add the rules whose clues are there; all of them when the source cannot be read."""
        try:
            self._find_keys(view, found)
            self._find_patterns(view, found)
        except Exception:  # noqa: BLE001 - what cannot be read is unknown, as in every condition
            found.update(self._whole)

    def _find_keys(self, view: View, found: set[int]) -> None:
        places = self._table
        if not places and not self._any:
            return
        for key in self._source.keys(view):
            found.update(self._any)
            if key in places:
                found.update(places[key])

    def _find_patterns(self, view: View, found: set[int]) -> None:
        folded, exact = self._folded, self._exact
        if not folded.searchers and not exact.searchers:
            return
        for text in self._source.texts(view):
            if folded.searchers:
                folded.find(text.folded_bytes, found)
            if exact.searchers:
                exact.find(text.exact_bytes, found)


def table(clues: Mapping[Clue, Places]) -> dict[str, Places]:
    """Give the rules that look for each text."""
    found: dict[str, Places] = {}
    for clue, places in clues.items():
        for text in clue.texts:
            found[text] = found.get(text, ()) + places
    return found


def _flat(clues: Mapping[Clue, Places], how: How) -> frozenset[int]:
    return frozenset(place for clue, places in clues.items() if clue.how is how for place in places)


class _Search:
    """The patterns of some kinds, each with the rules that look for it."""

    def __init__(
        self,
        clues: Mapping[Clue, Places],
        kinds: Mapping[How, Callable[[str], bytes]],
        compiled: Callable[[Sequence[bytes]], list[Searcher]],
    ) -> None:
        found: dict[bytes, Places] = {}
        for clue, places in clues.items():
            if clue.how in kinds:
                for pattern in map(kinds[clue.how], clue.texts):
                    found[pattern] = found.get(pattern, ()) + places
        self._places = list(found.values())
        self.searchers = compiled(list(found))

    def find(self, text: bytes, found: set[int]) -> None:
        for searcher in self.searchers:
            for at in searcher.search(text):
                found.update(self._places[at])


def _escaped(text: str) -> bytes:
    return re2.escape(to_bytes(text))  # type: ignore[no-any-return]


LITERALS: Mapping[How, Callable[[str], bytes]] = {
    How.BEGINS: lambda text: rb"\A" + _escaped(text),
    How.ENDS: lambda text: _escaped(text) + rb"\z",
    How.WITHIN: _escaped,
}
REGEXES: Mapping[How, Callable[[str], bytes]] = {How.REGEX: str.encode}
