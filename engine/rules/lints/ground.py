"""What checks share: the rules in order, messages made up for each, and who asks what before whom."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from itertools import islice

from engine.mail.needs import Need
from engine.rules.condition import Condition, walk
from engine.rules.conditions.is_ import MARKS, Is
from engine.rules.conditions.label import Label
from engine.rules.effects import ChangeLabels
from engine.rules.evaluate import evaluate
from engine.rules.evaluation import Evaluation, Verdict
from engine.rules.groups import Entry
from engine.rules.lints.draft import NOW, Draft
from engine.rules.lints.witness import witness
from engine.rules.memory import EMPTY
from engine.rules.patterns import Pattern
from engine.rules.ruleset import Rule, RuleSet
from engine.rules.text import to_bytes

MOST_ASKED = 100
"""Rules asked about one made-up message."""
ANY_LABEL = "*"
"""Stands for labels whose names only a message tells, and for conditions that look at all labels."""


class Ground:
    """A rule set as checks look at it."""

    def __init__(self, ruleset: RuleSet) -> None:
        self.ruleset = ruleset
        self.places = {rule.id: place for place, rule in enumerate(ruleset.rules)}
        self._witnesses: dict[str, Draft | None] = {}
        self._holding: dict[str, tuple[Rule, ...]] = {}

    @property
    def rules(self) -> tuple[Rule, ...]:
        return self.ruleset.rules

    def witness(self, rule: Rule) -> Draft | None:
        """A message of which the rule's conditions hold, if one was found."""
        if rule.id not in self._witnesses:
            start = Draft(mailbox=_first_mailbox(rule))
            home = self.ruleset.homes.of(start.mailbox)
            self._witnesses[rule.id] = witness(rule.when, start, home)
        return self._witnesses[rule.id]

    def holding_before(self, rule: Rule) -> tuple[Rule, ...]:
        """Give rules that are asked before one and hold of its made-up message as it arrives."""
        if rule.id not in self._holding:
            draft = self.witness(rule)
            self._holding[rule.id] = tuple(self._holding_of(rule, draft)) if draft else ()
        return self._holding[rule.id]

    def _holding_of(self, rule: Rule, draft: Draft) -> Iterator[Rule]:
        view = draft.view(self.ruleset.homes.of(draft.mailbox))
        asked = iter(self.ruleset.audience(rule.event, "").asked(view))
        for each in islice(asked, MOST_ASKED):
            if each is rule:
                return
            if _may_matter(each, rule) and each.when.judge(view).verdict is Verdict.MATCHED:
                yield each

    def judge(self, rule: Rule, draft: Draft) -> Evaluation:
        """Judge a made-up message by all rules."""
        return evaluate(self.ruleset, draft.event(rule.event), draft.message(), NOW, EMPTY, final=True)

    def changed_between(self, first: Rule, second: Rule, labels: frozenset[str]) -> bool:
        """Say whether a rule between two may change one of some labels."""
        low, high = self.places[first.id], self.places[second.id]
        wanted = self._changes.keys() if ANY_LABEL in labels else labels | {ANY_LABEL}
        return any(
            bisect_right(self._changes[label], low) < bisect_right(self._changes[label], high - 1)
            for label in wanted
            if label in self._changes
        )

    @cached_property
    def _changes(self) -> dict[str, list[int]]:
        """Where in the order each label is changed."""
        found: dict[str, list[int]] = defaultdict(list)
        for place, rule in enumerate(self.rules):
            for label in changed_labels(rule):
                found[label].append(place)
        return dict(found)


def _may_matter(earlier: Rule, later: Rule) -> bool:
    """Say whether one rule can end another's way, or do before it what it does."""
    if earlier.remembers or earlier.layer != later.layer:
        return False
    return bool(ends(earlier, later)) or not later.templates


def changed_labels(rule: Rule) -> frozenset[str]:
    """Name the labels that a rule changes."""
    varies = any("{{" in text for action in rule.then for _, text in action.texts())
    own = {ANY_LABEL} if varies else set()
    for effect in rule.outcome({}).effects:
        if isinstance(effect, ChangeLabels):
            own |= {*effect.add, *effect.remove}
    return frozenset(own)


def read_labels(condition: Condition) -> frozenset[str] | None:
    """Name the labels that a condition looks at; None where a group asked for them at an earlier time."""
    found: set[str] = set()
    for node in walk(condition):
        if isinstance(node, Entry) and read_labels(node.condition) != frozenset():
            return None
        if isinstance(node, Label):
            found |= set(node.is_) if node.is_ and node.model_fields_set == {"is_"} else {ANY_LABEL}
        elif isinstance(node, Is):
            found |= {MARKS[fact] for fact in node.facts if fact in MARKS}
        elif not node.members and Need.LABELS in node.needs:
            found.add(ANY_LABEL)
    return frozenset(found)


def ends(earlier: Rule, later: Rule) -> str:
    """Say how a match of one rule keeps another from being asked; "" if it does not."""
    if not earlier.acts:
        return ""
    if earlier.stop and earlier.layer == later.layer:
        return f"ends the layer '{earlier.layer}'"
    own = dict(earlier.branches)
    group = next((name for name, branch in later.branches if own.get(name, branch) < branch), "")
    return f"is the first of the group '{group}' to apply" if group else ""


def asked_whenever(earlier: Rule, later: Rule) -> bool:
    """Say whether one rule is certainly asked, or its layer ended, wherever a later one is asked."""
    others = dict(later.branches)
    return (
        earlier.event is later.event
        and earlier.layer == later.layer
        and _scope_within(later.scope, earlier.scope)
        and (earlier.names_spam or not later.names_spam)
        and all(others.get(group, -1) >= branch for group, branch in earlier.branches)
    )


def _scope_within(one: tuple[Pattern, ...], other: tuple[Pattern, ...]) -> bool:
    """Say whether every mailbox of the one is one of the other."""
    if not other:
        return True
    sources = {glob.source for glob in other}
    return bool(one) and all(
        glob.source in sources
        or (
            not {"*", "?", "\\"} & set(glob.source)
            and any(each.search(to_bytes(glob.source)) is not None for each in other)
        )
        for glob in one
    )


def _first_mailbox(rule: Rule) -> str:
    names = (glob.source for glob in rule.scope)
    return next((name for name in names if not {"*", "?", "\\"} & set(name)), "")
