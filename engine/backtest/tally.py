"""How often each thing would happen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.backtest.outcome import Outcome

MESSAGES, UNREADABLE, HELD, UNDECIDED, CHANGES = "messages", "unreadable", "held", "undecided", "changes"
WHOLE = (MESSAGES, UNREADABLE, CHANGES)
"""What is the same for every version."""


@dataclass
class Tally:
    """The counts of one version of the rules."""

    actions: Counter[str] = field(default_factory=Counter)
    """What would be done, by the name of the action; what is held is not."""
    rules: Counter[str] = field(default_factory=Counter)
    """How many messages each rule matches."""
    added: Counter[str] = field(default_factory=Counter)
    """Net changes by label."""
    removed: Counter[str] = field(default_factory=Counter)
    shadows: Counter[str] = field(default_factory=Counter)
    """How many messages each rule in shadow matches."""
    held: int = 0
    undecided: int = 0
    """How many times a rule could not be judged."""

    def add(self, outcome: Outcome) -> None:
        for ran in outcome.runs:
            self.rules[ran.rule] += 1
            for act in ran.acts:
                if act.held:
                    self.held += 1
                else:
                    self.actions[act.kind] += 1
        self.shadows.update(ran.rule for ran in outcome.shadows)
        self.added.update(outcome.add)
        self.removed.update(outcome.remove)
        self.undecided += len(outcome.undecided)

    def as_dict(self) -> Mapping[str, object]:
        """The same for machines."""
        return {
            "actions": dict(sorted(self.actions.items())),
            "held": self.held,
            "undecided": self.undecided,
            "rules": dict(sorted(self.rules.items())),
            "shadows": dict(sorted(self.shadows.items())),
            "labels": {"add": dict(sorted(self.added.items())), "remove": dict(sorted(self.removed.items()))},
        }
