"""Captures that come out empty although the rule matched, found by a message of which it is so."""

from __future__ import annotations

from collections.abc import Iterator

from engine.rules.captures import uses
from engine.rules.lints.draft import Draft
from engine.rules.lints.flaw import Flaw, flaw
from engine.rules.lints.ground import Ground
from engine.rules.ruleset import Rule


def inputs(ground: Ground) -> Iterator[Flaw]:
    """Find template inputs and labels that some match leaves empty."""
    for rule in ground.rules:
        asked = dict.fromkeys(_uncoping(rule))
        draft = ground.witness(rule) if asked else None
        for name in asked if draft else ():
            if draft and _is_empty(ground, rule, draft, name):
                message = (
                    f"'{rule.id}' uses the capture '{name}', which this message leaves empty; let its group "
                    f"match something, or write {{{{ captures.{name} | default('...') }}}} in inputs"
                )
                yield flaw("input", message, rule.place, certain=False, proof=draft)


def _uncoping(rule: Rule) -> Iterator[str]:
    """Captures that every match supplies as far as the patterns' names tell, and that must not be empty."""
    for action in rule.then:
        for _, text in action.texts():
            yield from (name for name, copes in uses(text) if not copes and name in rule.when.sure_captures)


def _is_empty(ground: Ground, rule: Rule, draft: Draft, name: str) -> bool:
    matches = ground.judge(rule, draft).matches
    found = next((match for match in matches if match.rule == rule.id), None)
    return found is not None and not found.captures.get(name)
