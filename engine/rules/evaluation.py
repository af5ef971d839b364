"""What judging one message gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from engine.mail.needs import NOTHING, Needs
from engine.rules.effects import ChangeLabels, Effect
from engine.rules.memory import Seen


class Verdict(StrEnum):
    """Three values, Kleene's logic above them."""

    MATCHED = "matched"
    NOT_MATCHED = "not matched"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Change:
    """One condition that would have to come out the other way."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Reason:
    """Why one node of a rule's tree came out as it did; children are its members."""

    path: str
    """Such as `when.all[0].from`."""
    verdict: Verdict
    text: str
    """The values compared, in words."""
    children: tuple[Reason, ...] = ()
    lacks: str = ""
    """Of a single condition that does not hold: what it lacks, as far as `text` does not say it."""
    nearest: tuple[Change, ...] = ()
    """Of a rule that does not match: the fewest changes after which it would."""


@dataclass(frozen=True, slots=True)
class Match:
    """One rule that matched."""

    rule: str
    actions: tuple[Mapping[str, Any], ...]
    """One-key maps with captures filled in, for people and machines to read."""
    effects: tuple[Effect, ...]
    """One or more per action, in order."""
    captures: Mapping[str, str] = field(default_factory=dict)
    stop: bool = False
    tell: Callable[[], Reason] | None = field(default=None, repr=False, compare=False)

    @property
    def reason(self) -> Reason | None:
        """Why it matched, found out when asked; `tell` keeps what it was judged by."""
        return self.tell() if self.tell else None


NOT_ONE_RULE = "*"
"""Stands for the rule where the whole message could not be judged."""


class Undecided(NamedTuple):
    """One rule that could not be judged: of an encrypted message, one of thousands."""

    rule: str
    needs: Needs
    """What one more fetch has to bring; empty when nothing can help."""
    why: str
    stop: bool = False
    shadow: bool = False
    """Whether nothing hangs on it: the rule is in shadow."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All that one message sets off."""

    matches: tuple[Match, ...] = ()
    undecided: tuple[Undecided, ...] = ()
    labels: ChangeLabels = field(default_factory=ChangeLabels)
    """The net change, by name, sorted."""
    remembered: tuple[Seen, ...] = ()
    """What rules have to remember of this message."""
    shadows: tuple[Match, ...] = ()
    """What rules in shadow would do; nothing of it is done."""
    unread: frozenset[str] = field(default=frozenset(), compare=False)
    """Keys of the memory that have to be looked up before rules are decided."""

    @property
    def needs(self) -> Needs:
        """What one more fetch would have to bring before every rule is decided."""
        return NOTHING.union(*(rule.needs for rule in self.undecided))


def unjudged(why: str) -> Evaluation:
    """Give the evaluation of a message of which not one rule could be judged, for good."""
    return Evaluation(undecided=(Undecided(NOT_ONE_RULE, NOTHING, why, stop=True),))


def judging_failed(defect: Exception) -> Evaluation:
    """Give what a defect of ours in judging comes to: undecided, never unmatched."""
    return unjudged(f"judging failed: {type(defect).__name__}")
