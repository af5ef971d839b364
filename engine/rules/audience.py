"""The rules that hear an event, and which of them are asked about a message."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Protocol

from engine.mail.events import EventKind
from engine.mail.needs import Need, Needs, union
from engine.rules.evaluation import Undecided
from engine.rules.index import Index

if TYPE_CHECKING:
    from engine.rules.ruleset import Rule
    from engine.rules.view import Hidden, View

SPAM = "SPAM"
"""The label of mail that reaches only the rules that name it."""
INDEXED_FROM = 1.5
"""Rules for each part of a message that they look at: fewer are all asked, which is as quick."""
MAX_REMEMBERED = 10_000
"""How many pairs of event kind and mailbox are remembered."""
MAX_HELD = 100_000
"""Rules in all audiences together, of which each may have an index."""


class Asked(Protocol):
    """Rules to ask about one message, in order."""

    def __iter__(self) -> Iterator[Rule]: ...

    def relabelled(self, view: View) -> None:
        """Hear that a rule planned other labels."""
        ...


class Everyone:
    """Some rules, one after the other, whatever labels are planned."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = rules

    def __iter__(self) -> Iterator[Rule]:
        return iter(self._rules)

    def relabelled(self, view: View) -> None:
        """Change nothing: no other rule looks for labels."""


class Candidates:
    """The rules that an index finds; planned labels call later ones in."""

    def __init__(self, rules: Sequence[Rule], index: Index, found: set[int]) -> None:
        self._rules, self._index = rules, index
        self._found = found
        self._left = sorted(found)
        self._at = -1
        self._labels = frozenset[str]()
        """What was looked up already after some rule had planned it."""

    def __iter__(self) -> Iterator[Rule]:
        rules, left = self._rules, self._left
        while left:
            self._at = heappop(left)
            yield rules[self._at]

    def relabelled(self, view: View) -> None:
        """Add the rules that look for a label that is there now."""
        new, self._labels = view.labels - self._labels, view.labels | self._labels
        for place in self._index.labelled(new) - self._found:
            self._found.add(place)
            if place > self._at:
                heappush(self._left, place)


NOBODY = Everyone(())
NO_ONE: Mapping[int, Undecided] = {}


@dataclass(frozen=True)
class Audience:
    """The rules that hear such an event, in order."""

    rules: tuple[Rule, ...]
    _blind: dict[Hidden, Mapping[int, Undecided]] = field(default_factory=dict, repr=False, compare=False)
    """By what is hidden, and then by place: rules that are left open unasked."""

    @cached_property
    def needs(self) -> Needs:
        """What to fetch before judging; raw bytes and threads only once a rule turns out to need them."""
        return union(rule.when.needs for rule in self.rules) - {Need.CONTENT, Need.THREAD}

    @cached_property
    def awaits_answers(self) -> bool:
        """Whether it matters to any of them what we answered in a message's thread."""
        return any(rule.awaits_answers for rule in self.rules)

    @cached_property
    def index(self) -> Index:
        """Made when first asked for."""
        return Index(rule.when.clues for rule in self.rules)

    def asked(self, view: View) -> Asked:
        """Say whom to ask about a message."""
        return self._among(self.index.candidates(view)) if self._indexed else self._everyone

    def parted(self, view: View) -> tuple[Asked, Mapping[int, Undecided]]:
        """Say whom to ask, and by place who stays open unasked: thousands, where a message is encrypted."""
        if not self._indexed:
            return self._everyone, NO_ONE
        found = self.index.candidates(view)
        hidden = view.hidden
        if not hidden or SPAM in view.labels:
            return self._among(found), NO_ONE
        if hidden not in self._blind:
            self._blind[hidden] = self._left_open(dict(hidden))
        blind = self._blind[hidden]
        return self._among(found - blind.keys()), blind

    def in_order(self, undecided: Sequence[Undecided], blind: Mapping[int, Undecided]) -> list[Undecided]:
        """Put rules that were asked and left open among those that were not asked."""
        if not undecided:
            return list(blind.values())
        both = {**blind, **{self._places[one.rule]: one for one in undecided}}
        return [both[at] for at in sorted(both)]

    @cached_property
    def _places(self) -> Mapping[str, int]:
        return {rule.id: at for at, rule in enumerate(self.rules)}

    def _left_open(self, hidden: Mapping[str, str]) -> Mapping[int, Undecided]:
        """By place, rules that ask for what is hidden alone; none that bars others or is barred."""
        found, stopped = {}, set[str]()
        for at, rule in enumerate(self.rules):
            if rule.stop:
                stopped.add(rule.layer)
            elif rule.when.key in hidden and not rule.branches and rule.layer not in stopped:
                judged = rule.when.undecided(hidden[rule.when.key])
                found[at] = Undecided(rule.id, judged.needs, judged.why, shadow=not rule.acts)
        return found

    def _among(self, found: set[int]) -> Asked:
        if not found:
            return NOBODY
        if self.index.by_label:
            return Candidates(self.rules, self.index, found)
        rules = self.rules
        return Everyone([rules[place] for place in sorted(found)])

    @cached_property
    def _indexed(self) -> bool:
        return len(self.rules) >= INDEXED_FROM * self.index.breadth

    @cached_property
    def _everyone(self) -> Everyone:
        return Everyone(self.rules)


class Audiences:
    """Remembers who hears what; mailboxes that the same rules hear share one audience."""

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        self._rules = rules
        self._by_event: dict[tuple[EventKind, str], Audience] = {}
        self._by_places: dict[tuple[int, ...], Audience] = {}

    def of(self, kind: EventKind, mailbox: str) -> Audience:
        """Find the audience of an event."""
        found = self._by_event.get((kind, mailbox))
        if found is None:
            found = self._gather(kind, mailbox)
            self._by_event[kind, mailbox] = found
        return found

    def _gather(self, kind: EventKind, mailbox: str) -> Audience:
        rules = self._rules
        places = tuple(
            at
            for at, rule in enumerate(rules)
            if rule.event is kind and rule.state != "off" and rule.covers(mailbox)
        )
        held = sum(map(len, self._by_places))
        if len(self._by_event) >= MAX_REMEMBERED or held + len(places) > MAX_HELD:
            self._by_event.clear()
            self._by_places.clear()
        if places not in self._by_places:
            self._by_places[places] = Audience(tuple(rules[at] for at in places))
        return self._by_places[places]
