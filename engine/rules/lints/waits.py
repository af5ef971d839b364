"""`after`: steps are carried out in order, so what stands behind one that waits does so as well."""

from __future__ import annotations

from collections.abc import Iterator

from engine.rules.lints.flaw import Flaw, flaw
from engine.rules.lints.ground import Ground
from engine.rules.ruleset import Rule


def waits(ground: Ground) -> Iterator[Flaw]:
    """Find each action that has to wait for longer than it says."""
    for rule in ground.rules:
        if said := _kept_waiting(rule):
            yield flaw("waits", f"in '{rule.id}', {said}", rule.place, certain=False)


def _kept_waiting(rule: Rule) -> str:
    longest, by, shown = 0, "", ""
    for action in rule.then:
        own = action.after.value if action.after else 0
        if own < longest:
            return f"'{action.key}' waits {shown} too, as '{by}' before it: put it first, or in another rule"
        if action.after:
            longest, by, shown = own, action.key, action.after.source
    return ""
