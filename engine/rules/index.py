"""Which rules a message can concern at all: looked up by what it shows instead of asked one by one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import chain

from engine.rules.clues import Clue, Clues, Source
from engine.rules.lookup import Find, Places, look_for, table
from engine.rules.sources import HeaderTexts, LabelNames
from engine.rules.text import nfc
from engine.rules.view import SUBJECT, View

FEW = 16
"""Header fields: so many are sought one by one."""


class Index:
    """Finds the rules whose clues a message shows, and those that have none."""

    def __init__(self, offered: Iterable[Clues | None]) -> None:
        """Take the clues of each rule, in order."""
        always, sources = _by_source(offered)
        self._always = frozenset(always)
        self.by_label = table(sources.pop(LabelNames(), {}))
        self._headers: dict[str, list[Find]] = {}
        self._others: list[Find] = []
        for source, clues in sources.items():
            # A subject is looked at in any message: that of one without it may be encrypted.
            if isinstance(source, HeaderTexts) and source.name != SUBJECT:
                self._headers.setdefault(source.name, []).extend(look_for(source, clues))
            else:
                self._others += look_for(source, clues)
        if len(self._headers) <= FEW:
            self._others += chain.from_iterable(self._headers.values())
            self._headers.clear()
        self.breadth = bool(self.by_label) + len(self._others) + min(len(self._headers), FEW)
        """How many looks at a message it takes."""

    def candidates(self, view: View) -> set[int]:
        """Give the places of all rules that may match a message or be left open, and of few others."""
        found = set(self._always)
        if self.by_label:
            found |= self.labelled(view.labels)
        for find in self._others:
            find(view, found)
        if self._headers:
            for name in self._present(view):
                for find in self._headers[name]:
                    find(view, found)
        return found

    def labelled(self, labels: Iterable[str]) -> set[int]:
        """Give the places of the rules that look for one of these labels."""
        wanted, found = self.by_label, set[int]()
        for label in labels:
            if places := wanted.get(label if label.isascii() else nfc(label)):
                found.update(places)
        return found

    def _present(self, view: View) -> Iterable[str]:
        """Name the header fields to look at: the message's own, since rules may name thousands of others."""
        try:
            return view.message.headers.names & self._headers.keys()
        except Exception:  # noqa: BLE001 - what cannot be read is unknown, as in every condition
            return self._headers


def _by_source(
    offered: Iterable[Clues | None],
) -> tuple[list[int], dict[Source, Mapping[Clue, Places]]]:
    """Gather the rules without clues, and for each source its clues with the rules that gave them."""
    always: list[int] = []
    given: dict[Clue, list[int]] = defaultdict(list)
    for place, clues in enumerate(offered):
        if clues is None:
            always.append(place)
        for clue in clues or ():
            given[clue].append(place)
    sources: dict[Source, dict[Clue, Places]] = defaultdict(dict)
    for clue, places in given.items():
        sources[clue.source][clue] = tuple(places)
    return always, dict(sources)
