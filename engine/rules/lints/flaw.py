"""What a check finds."""

from __future__ import annotations

from dataclasses import dataclass

from engine.errors import Place, RuleError
from engine.rules.lints.draft import Draft
from engine.rules.ruleset import Rule


@dataclass(frozen=True)
class Flaw:
    """One finding of a check; what is not `certain` is a warning."""

    check: str
    error: RuleError
    certain: bool
    other: Rule | None = None
    """The rule that it has to do with beside its own."""
    proof: Draft | None = None
    """A message that shows it, judged before it is shown."""


def flaw(
    check: str,
    message: str,
    place: Place,
    *,
    certain: bool,
    other: Rule | None = None,
    proof: Draft | None = None,
) -> Flaw:
    return Flaw(check, RuleError(message, place), certain, other, proof)


def named(rule: Rule) -> str:
    """Name a rule and where it stands."""
    return f"'{rule.id}' ({rule.place.file}:{rule.place.line})"
