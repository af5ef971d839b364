"""All checks of what rules mean together."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from engine.rules.lints.contradictory import contradictory
from engine.rules.lints.flaw import Flaw
from engine.rules.lints.ground import Ground
from engine.rules.lints.inputs import inputs
from engine.rules.lints.labels import labels
from engine.rules.lints.lookalikes import lookalikes
from engine.rules.lints.negatives import negatives
from engine.rules.lints.searches import searches
from engine.rules.lints.twins import duplicate, shadowed
from engine.rules.lints.unguarded import unguarded
from engine.rules.lints.unreachable import unreachable
from engine.rules.lints.waits import waits
from engine.rules.ruleset import RuleSet

CHECKS: tuple[Callable[[Ground], Iterator[Flaw]], ...] = (
    unreachable,
    contradictory,
    duplicate,
    shadowed,
    negatives,
    lookalikes,
    labels,
    inputs,
    waits,
    searches,
    unguarded,
)


def lint(ruleset: RuleSet) -> list[Flaw]:
    """Find what is odd about rules that load, in the order in which a reader meets it."""
    ground = Ground(ruleset)
    found = [each for check in CHECKS for each in check(ground)]
    return sorted(
        found, key=lambda each: (each.error.place.file, each.error.place.line, each.error.place.column)
    )
