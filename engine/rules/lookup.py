"""Everything that rules look for in one part of a message, found in one go."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from operator import contains

from engine.rules.clues import Clue, How, Source
from engine.rules.multi import search_literals, search_regexes
from engine.rules.needed import LEAST, Parts, needed
from engine.rules.text import Text, to_bytes
from engine.rules.view import View

FEW = 8
"""Literals: so many are found faster one by one."""
ALIKE = 8
"""Regexes that need the same text: so many are asked where it stands, more are told apart by RE2."""
_ASCII = re.compile(r"[\0-\x7f]*")
LITERAL: Mapping[How, Callable[[str, str], bool]] = {
    How.BEGINS: str.startswith,
    How.ENDS: str.endswith,
    How.WITHIN: contains,
}

Places = tuple[int, ...]
"""Rules, by their places in the order."""
Literal = tuple[Callable[[str, str], bool], str, Places]
"""How a text shows a part, the part, and the rules that look for it."""

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
    patterns = _patterns(clues)
    replaced = _replaced(patterns)
    nearby = _nearby([*_literals(clues), *chain.from_iterable(replaced.values())])
    unreplaced = [pattern for pattern in patterns if pattern not in replaced]
    searches = search_regexes(list(map(to_bytes, unreplaced)))
    rules_of = [patterns[pattern] for pattern in unreplaced]

    def find(view: View, found: set[int]) -> None:
        try:
            for text in texts(view):
                for shows, part, places in nearby(text):
                    if shows(text.folded, part):
                        found.update(places)
                for search in searches:
                    for at in search(text.exact_bytes):
                        found.update(rules_of[at])
        except Exception:  # noqa: BLE001 - what cannot be read is unknown, as in every condition
            found.update(whole)

    return find


def _literals(clues: Mapping[Clue, Places]) -> list[Literal]:
    found: dict[tuple[How, str], Places] = {}
    for clue, places in clues.items():
        for text in clue.texts if clue.how in LITERAL else ():
            found[clue.how, text] = found.get((clue.how, text), ()) + places
    return [(LITERAL[how], text, places) for (how, text), places in found.items()]


def _nearby(literals: list[Literal]) -> Callable[[Text], Iterable[Literal]]:
    """Make the function that gives those that may stand in a text: of few, simply all.

    Most are sought by what of them is ASCII, since that needs no folding of Unicode.
    """
    if len(literals) <= FEW:
        return lambda text: literals
    by_run, by_whole = defaultdict[str, list[Literal]](list), defaultdict[str, list[Literal]](list)
    for literal in literals:
        run = max(_ASCII.findall(literal[1]), key=len)
        if len(run) >= LEAST or literal[1].isascii():
            by_run[run].append(literal)
        else:
            by_whole[literal[1]].append(literal)
    runs, wholes = _searched(by_run), _searched(by_whole)
    if not by_whole:
        return lambda text: runs(text.sought)
    return lambda text: runs(text.sought) + ([] if text.raw.isascii() else wholes(text.folded_bytes))


def _searched(by_part: Mapping[str, list[Literal]]) -> Callable[[bytes], list[Literal]]:
    search, each = search_literals(list(map(to_bytes, by_part))), list(by_part.values())

    def searched(text: bytes) -> list[Literal]:
        found = search(text)
        return [literal for at in found for literal in each[at]] if found else []

    return searched


def table(clues: Mapping[Clue, Places]) -> dict[str, Places]:
    """Give the rules that look for each whole text."""
    found: dict[str, Places] = {}
    for clue, places in clues.items():
        for text in clue.texts if clue.how is How.IS else ():
            found[text] = found.get(text, ()) + places
    return found


def _patterns(clues: Mapping[Clue, Places]) -> dict[str, Places]:
    found: dict[str, Places] = {}
    for clue, places in clues.items():
        for text in clue.texts if clue.how is How.REGEX else ():
            found[text] = found.get(text, ()) + places
    return found


def _replaced(patterns: Mapping[str, Places]) -> dict[str, list[Literal]]:
    """Give the regexes to look for by texts that each needs, unless many need the same."""
    needs = {pattern: found for pattern in patterns if (found := needed(pattern))}
    count = Counter(parts[0] for found in needs.values() for parts in found)
    return {
        pattern: [(_shows_all(parts), parts[0], patterns[pattern]) for parts in found]
        for pattern, found in needs.items()
        if all(count[parts[0]] <= ALIKE for parts in found)
    }


def _shows_all(parts: Parts) -> Callable[[str, str], bool]:
    rest = parts[1:]
    if not rest:
        return contains
    if len(rest) == 1:
        second = rest[0]
        return lambda text, first: first in text and second in text
    return lambda text, first: first in text and all(part in text for part in rest)
