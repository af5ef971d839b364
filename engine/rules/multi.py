"""Look for thousands of patterns in one text at once, in time that is linear in the text whatever is asked.

Literals are sought by an automaton that is whole before the first text; RE2, whose sets search for regexes,
builds its states while it reads, and pays for every text that brings new ones.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import re2
from ahocorasick_rs import BytesAhoCorasick, Implementation, MatchKind

VECTORED = 48
"""Literals up to which texts that show none of them are known as such by vector instructions."""
SMALL = 20_000
"""Bytes of literals up to which the automaton may be a table: some 400 bytes for each, and twice as quick."""
PIECE = 1 << 14
"""Bytes of a text that are searched at a time, so that what is found stays little."""
MOST_FOUND = 1 << 18
"""Finds in one piece, of some 160 bytes each: at one place, one may end of each length of literals."""
MAX_MEMORY = 64 << 20
"""Bytes that one compiled set may take: at RE2's default of 8 MiB, thousands of patterns crawl or fail."""
MIN_MEMORY = 8 << 20
BYTES_EACH = 4 << 10
"""Bytes allowed for each byte of a pattern."""
LARGE = 64 << 10
"""Bytes: a regex whose program takes more, some 2,500 instructions, is not searched for with others."""
CHUNK = 1_000
"""Patterns in one filter, whose memory RE2 fixes at its default."""
FULL = b"\0postroom\0"
"""Stands behind each text that a filter reads: what does not see it ran out of memory."""


_GAP = re.compile(rb"(?:[.\]]|\\[wWSDpPC])(?:[*+]|\{\d*,\d*\})")
r"""A wide class of characters, repeated. Narrow ones such as `\s+` end soon."""

Search = Callable[[bytes], Collection[int]]
"""Gives the places of all patterns that may be found in a text, and never fewer."""


def search_literals(literals: Sequence[bytes]) -> Search:
    """Search for literals as they stand; of few, first for whether any is there."""
    kind = Implementation.DFA if sum(map(len, literals)) <= SMALL else Implementation.ContiguousNFA
    find = BytesAhoCorasick(literals, implementation=kind).find_matches_as_indexes
    some = find
    if len(literals) <= VECTORED:
        some = BytesAhoCorasick(literals, MatchKind.LeftmostFirst, kind).find_matches_as_indexes
    lengths = set(map(len, literals)) or {1}
    longest = max(lengths)
    piece = max(longest, min(PIECE, MOST_FOUND // len(lengths)))
    step = piece + longest - 1

    def search(text: bytes) -> Collection[int]:
        if len(text) > step:
            pieces = (text[start : start + step] for start in range(0, len(text), piece))
            return set[int]().union(*map(search, pieces))
        if some is not find and not some(text):
            return ()
        found = find(text, True)
        return {at for at, _, _ in found} if found else ()

    return search


def search_regexes(patterns: Sequence[bytes]) -> list[Search]:
    """Search for what authors wrote; for patterns with gaps, by the literals that each needs, if any.

    Gaps such as in `a.*b` would make a set's states multiply; the literals `a` and `b` do not.
    """
    kinds = _sorted_out(patterns)
    found = _sets(kinds.together)
    for start in range(0, len(kinds.filtered), CHUNK):
        chunk = kinds.filtered[start : start + CHUNK]
        found.append(_search_filter(_filter(chunk)[0], _places(chunk)))
    return [*found, _unsearched(_places(kinds.large))] if kinds.large else found


def _search_set(compiled: Any, places: Places) -> Search:
    """Tell an exhausted memory from "nothing found" by the first pattern, which is always found."""
    match = compiled.Match

    def search(text: bytes) -> Collection[int]:
        found = match(text)
        if not found:
            return places
        return [places[at - 1] for at in found if at] if len(found) > 1 else ()

    return search


def _search_filter(compiled: Any, places: Places) -> Search:
    """Find the literals that a match needs, not the match itself."""
    match = compiled.Match

    def search(text: bytes) -> Collection[int]:
        found = match(text + FULL, True)
        if not found:
            return places
        return [places[at - 1] for at in found if at] if len(found) > 1 else ()

    return search


def _unsearched(places: Places) -> Search:
    """Each may be found in any text: they cannot be searched for together."""
    return lambda text: places


Places = tuple[int, ...]
_Pairs = list[tuple[int, bytes]]


@dataclass(frozen=True, slots=True)
class _Kinds:
    """How patterns are searched for: by literals they need, all together, or each alone."""

    filtered: _Pairs
    together: _Pairs
    large: _Pairs


def _sorted_out(patterns: Sequence[bytes]) -> _Kinds:
    compiled, added = _filter(list(enumerate(patterns)))
    if not added:
        return _Kinds([], [], list(enumerate(patterns)))
    in_empty = set(compiled.Match(b"", True) or ())
    kinds = _Kinds([], [], [])
    numbers = {place: number for number, place in enumerate(added, 1)}
    for place, pattern in enumerate(patterns):
        number = numbers.get(place)
        gapped = number not in in_empty and _GAP.search(pattern) is not None
        kind = kinds.large if number is None else kinds.filtered if gapped else kinds.together
        kind.append((place, pattern))
    return kinds


def _sets(pairs: _Pairs) -> list[Search]:
    """Compile one set, or as many as its memory makes necessary."""
    if not pairs:
        return []
    try:
        compiled = re2.Set.SearchSet(_options(sum(len(pattern) for _, pattern in pairs)))
        compiled.Add(rb"\A")
        for _, pattern in pairs:
            compiled.Add(pattern)
        compiled.Compile()
    except re2.error:
        if len(pairs) == 1:
            return [_unsearched(_places(pairs))]
        half = len(pairs) // 2
        return _sets(pairs[:half]) + _sets(pairs[half:])
    return [_search_set(compiled, _places(pairs))]


def _filter(pairs: _Pairs) -> tuple[Any, list[int]]:
    """Compile a filter; also say which patterns went in."""
    compiled, added, options = re2.Filter(), [], re2.Options()
    options.max_mem, options.log_errors = LARGE, False
    compiled.Add(FULL, options)
    for place, pattern in pairs:
        try:
            compiled.Add(pattern, options)
        except re2.error:
            continue
        added.append(place)
    compiled.Compile()
    return compiled, added


def _places(pairs: _Pairs) -> tuple[int, ...]:
    return tuple(at for at, _ in pairs)


def _options(length: int) -> Any:
    options = re2.Options()
    options.max_mem = min(MAX_MEMORY, MIN_MEMORY + BYTES_EACH * length)
    options.log_errors = False
    return options
