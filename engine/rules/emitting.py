"""Events that rules set off: which would go round for ever."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from engine.errors import Place, RuleError
from engine.mail.events import EMITTED
from engine.rules.effects import EmitEvent
from engine.rules.places import place_of
from engine.rules.ruleset import Rule
from engine.rules.yaml import Node


@dataclass(frozen=True, slots=True)
class _Emission:
    """A rule that listens to one emitted event, "" for any other kind, and sets off another."""

    heard: str
    set_off: str
    rule: str
    place: Place


def loop_errors(rules: Iterable[Rule], roots: Mapping[str, Node]) -> Iterator[RuleError]:
    """Find emissions that come back to the rule that made them."""
    emissions = [one for rule in rules for one in _emissions(rule, roots)]
    onward: dict[str, set[str]] = {}
    for one in emissions:
        onward.setdefault(one.heard, set()).add(one.set_off)
    for one in emissions:
        if one.heard and one.heard in _reached(one.set_off, onward):
            said = (
                f"'{one.rule}' listens to {EMITTED}{one.heard}, and what it sets off comes back to that: "
                "let one rule of the circle emit nothing"
            )
            yield RuleError(said, one.place)


def _emissions(rule: Rule, roots: Mapping[str, Node]) -> Iterator[_Emission]:
    for number, action in enumerate(rule.then):
        for effect in action.effects({}) if action.key == "emit" else ():
            if isinstance(effect, EmitEvent):
                location = (*rule.location, "then", number, action.key)
                place = place_of(roots[rule.place.file], location, rule.place.file)
                yield _Emission(rule.event.emitted, effect.event, rule.id, place)


def _reached(start: str, onward: Mapping[str, set[str]]) -> set[str]:
    seen, todo = {start}, [start]
    while todo:
        new = onward.get(todo.pop(), set()) - seen
        seen |= new
        todo += new
    return seen
