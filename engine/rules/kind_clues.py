"""The clues that text kinds and address kinds give."""

from __future__ import annotations

import re
from collections.abc import Iterator

from engine.rules.addresses import AddressKinds, encoded
from engine.rules.clues import Clue, Clues, How, Source, narrowest
from engine.rules.patterns import Pattern
from engine.rules.people import AddressSet
from engine.rules.sources import MAX_DOMAIN, Names, ParentDomains, PeopleKeys, Spelt, Written
from engine.rules.text import TextKinds, fold

_PIECE = re.compile(r"\\[*?\\]|.", re.DOTALL)


def text_clues(kinds: TextKinds, source: Source) -> Clues | None:
    """Give the narrowest clues of kinds that compare folded texts."""
    if kinds.exists is False:
        return None
    return narrowest([(Clue(source, How.ANY),), *_of_kinds(kinds, source)])


def _of_kinds(kinds: TextKinds, source: Source) -> Iterator[Clues | None]:
    literals = (
        (How.IS, kinds.is_),
        (How.BEGINS, kinds.starts_with),
        (How.ENDS, kinds.ends_with),
        (How.WITHIN, kinds.contains),
    )
    for how, wanted in literals:
        if wanted is not None:
            yield (Clue(source, how, frozenset(map(fold, wanted))),)
    if kinds.glob is not None:
        yield _glob_clues([fold(glob.source) for glob in kinds.glob], source)
    if kinds.regex is not None:
        yield _regex_clues(kinds.regex, source)


def address_clues(kinds: AddressKinds, fields: tuple[str, ...]) -> Clues | None:
    """Give the narrowest clues of kinds that compare the addresses of some header fields."""
    if kinds.exists is False:
        return None
    offers: list[Clues | None] = [(Clue(PeopleKeys(fields), How.ANY),)]
    offers += [_set_clues(wanted, fields) for wanted in kinds.sets]
    if kinds.glob is not None:
        globs = [fit(glob.source) for glob in kinds.glob for fit in (fold, encoded)]
        offers.append(_glob_clues(globs, Spelt(fields)))
    if kinds.regex is not None:
        offers.append(_regex_clues(kinds.regex, Written(fields)))
    if kinds.name is not None:
        offers.append(text_clues(kinds.name, Names(fields)))
    return narrowest(offers)


def _set_clues(wanted: AddressSet, fields: tuple[str, ...]) -> Clues | None:
    if any(len(parent) > MAX_DOMAIN for parent in wanted.parents):
        return None
    clues = (
        Clue(PeopleKeys(fields), How.IS, wanted.keys),
        Clue(ParentDomains(fields), How.IS, frozenset(wanted.parents)),
    )
    return tuple(clue for clue in clues if clue.texts) or clues


def _regex_clues(patterns: tuple[Pattern, ...], source: Source) -> Clues:
    return (Clue(source, How.REGEX, frozenset(pattern.expression for pattern in patterns)),)


def _glob_clues(globs: list[str], source: Source) -> Clues | None:
    """Look for the longest run of each glob that has no wildcard."""
    runs = {max(_runs(glob), key=len) for glob in globs}
    return (Clue(source, How.WITHIN, frozenset(runs)),) if all(runs) else None


def _runs(glob: str) -> Iterator[str]:
    run = ""
    for piece in _PIECE.findall(glob):
        if piece in ("*", "?"):
            yield run
            run = ""
        else:
            run += piece[-1]
    yield run
