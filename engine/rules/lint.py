"""What no single field can tell: captures that nothing supplies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.errors import RuleError
from engine.rules.captures import uses
from engine.rules.findings import unknown
from engine.rules.places import place_of
from engine.rules.ruleset import Rule
from engine.rules.templated import Templated
from engine.rules.yaml import Node


@dataclass(frozen=True)
class Finding:
    """One problem; a fatal one keeps the rule set from being loaded."""

    error: RuleError
    fatal: bool


def capture_findings(rule: Rule, root: Node) -> Iterator[Finding]:
    """Find uses of captures that no pattern of the rule supplies, or not in every case."""
    file, at = rule.place.file, rule.location
    possible, sure = rule.when.possible_captures, rule.when.sure_captures
    for number, action in enumerate(rule.then):
        for below, text in action.texts():
            place = place_of(root, (*at, "then", number, action.key, *below), file)
            for name, copes in uses(text):
                if name not in possible:
                    hint = "; name a group (?P<...>) in a regex of this rule"
                    yield Finding(RuleError(unknown("capture", name, possible) + hint, place), True)
                elif name not in sure and not copes:
                    fatal = isinstance(action, Templated)
                    yield Finding(RuleError(_lacking(name, needed=fatal), place), fatal)


def _lacking(name: str, *, needed: bool) -> str:
    """A label copes with a capture that is not there; a template's input does not."""
    if not needed:
        return f"the capture '{name}' may be empty: not every way to match supplies it"
    return (
        f"the capture '{name}' may be missing: not every way to match supplies it; "
        f"write {{{{ captures.{name} | default('...') }}}}"
    )
