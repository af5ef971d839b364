"""Everything that rules look for in one part of a message, found in one go."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter, contains

from engine.rules.clues import Clue, How, Source
from engine.rules.multi import Search, escaped, search_literals, search_regexes
from engine.rules.text import Text, to_bytes
from engine.rules.view import View

Read = Callable[[Text], bytes]
EXACT: Read = attrgetter("exact_bytes")
FOLDED: Read = attrgetter("folded_bytes")
FEW = 16
"""Literals: so many are found faster one by one."""
LITERAL: Mapping[How, Callable[[str, str], bool]] = {
    How.BEGINS: str.startswith,
    How.ENDS: str.endswith,
    How.WITHIN: contains,
}

Places = tuple[int, ...]
"""Rules, by their places in the order."""


Find = Callable[[View, set[int]], None]
"""Adds the rules whose clues are there; all of them when the source cannot be read."""


def look_for(source: Source, clues: Mapping[Clue, Places]) -> list[Find]:
    """Make the functions that find all clues in one source, for speed one for keys and one for texts."""
    whole = frozenset(place for places in clues.values() for place in places)
    found = []
    if any(clue.how in (How.IS, How.ANY) for clue in clues):
        found.append(_by_keys(source.keys, clues, whole))
    if any(clue.how in LITERAL or clue.how is How.REGEX for clue in clues):
        found.append(_by_texts(source.texts, clues, whole))
    return found


def _by_keys(
    keys: Callable[[View], Iterable[str]], clues: Mapping[Clue, Places], whole: frozenset[int]
) -> Find:
    rules_of = table(clues).get
    always = frozenset(place for clue, places in clues.items() if clue.how is How.ANY for place in places)

    def find(view: View, found: set[int]) -> None:
        try:
            for key in keys(view):
                if places := rules_of(key):
                    found.update(places)
                if always:
                    found.update(always)
        except Exception:  # noqa: BLE001 - what cannot be read is unknown, as in every condition
            found.update(whole)

    return find


def _by_texts(
    texts: Callable[[View], Iterable[Text]], clues: Mapping[Clue, Places], whole: frozenset[int]
) -> Find:
    literals = _literals(clues)
    searches = _searches(EXACT, search_regexes, _patterns(clues, How.REGEX))
    if len(literals) > FEW:
        literals = []
        searches += _searches(FOLDED, search_literals, _edged(clues))

    def find(view: View, found: set[int]) -> None:
        try:
            for text in texts(view):
                for shows, part, rules in literals:
                    if shows(text.folded, part):
                        found.update(rules)
                for read, search, places in searches:
                    for at in search(read(text)):
                        found.update(places[at])
        except Exception:  # noqa: BLE001 - what cannot be read is unknown, as in every condition
            found.update(whole)

    return find


def _literals(clues: Mapping[Clue, Places]) -> list[tuple[Callable[[str, str], bool], str, Places]]:
    return [
        (LITERAL[clue.how], text, places)
        for clue, places in clues.items()
        for text in (clue.texts if clue.how in LITERAL else ())
    ]


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


def _searches(
    read: Read, make: Callable[[Sequence[bytes]], list[Search]], patterns: Mapping[bytes, Places]
) -> list[tuple[Read, Search, Sequence[Places]]]:
    """Make searches for patterns: each with what it looks at, and with the rules that look for them."""
    places = list(patterns.values())
    return [(read, search, places) for search in make(list(patterns))]
