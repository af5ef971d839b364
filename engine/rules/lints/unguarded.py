"""What of the guard rules switch off: shown each time, with the reason that they give."""

from __future__ import annotations

from collections.abc import Iterator

from engine.rules.lints.flaw import Flaw, flaw
from engine.rules.lints.ground import Ground
from engine.rules.templated import Sends


def unguarded(ground: Ground) -> Iterator[Flaw]:
    """Find each action that sends where the guard would hold it."""
    for rule in ground.rules:
        for action in rule.then:
            if isinstance(action, Sends) and action.guard:
                off = ", ".join(action.guard.off)
                message = f"'{rule.id}' switches off for {action.key}: {off} ({action.guard.reason})"
                yield flaw("unguarded", message, rule.place, certain=False)
