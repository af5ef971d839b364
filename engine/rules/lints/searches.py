"""Schedules: a search that nothing narrows reads the whole mailbox each time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC

from engine.rules.lints.draft import NOW
from engine.rules.lints.flaw import Flaw, flaw
from engine.rules.lints.ground import Ground
from engine.rules.narrowing import Narrow, narrow


def searches(ground: Ground) -> Iterator[Flaw]:
    """Find each schedule whose rules name neither a label nor a time that every message has to have."""
    for rules in ground.ruleset.schedules.values():
        if narrow((rule.when for rule in rules), NOW, UTC) == Narrow():
            said = f"'{rules[0].id}' reads every message of its mailboxes each time"
            message = f"{said}: ask for a label or an age beside the rest, as in query: 'label:waiting'"
            yield flaw("searches", message, rules[0].place, certain=False)
