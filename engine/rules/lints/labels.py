"""Conditions on labels that nobody sets, or that are set too late."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from difflib import get_close_matches

from engine.mail.events import EventKind
from engine.rules.action import SYSTEM_LABELS
from engine.rules.condition import Condition
from engine.rules.conditions.label import Label
from engine.rules.effects import ChangeLabels
from engine.rules.lints.flaw import Flaw, flaw, named
from engine.rules.lints.ground import Ground
from engine.rules.lints.implies import plain
from engine.rules.ruleset import Rule
from engine.rules.text import fold, nfc

_CAPTURE = re.compile(r"\{\{.*?\}\}")
_WILD = "\0"


def labels(ground: Ground) -> Iterator[Flaw]:
    """Find labels that are asked for and that no rule sets, or only a later one."""
    setters = _setters(ground)
    fixed = {label: rules for label, rules in setters.items() if _WILD not in label}
    varying = [(_pattern(label), rules) for label, rules in setters.items() if _WILD in label]
    for rule in ground.rules:
        for label, asked in _asked(rule.when, asked=True):
            setting = [*fixed.get(nfc(label), [])]
            setting += [each for pattern, rules in varying if pattern.fullmatch(label) for each in rules]
            if found := _judge(ground, rule, label, asked, setting, fixed):
                yield found


def _judge(
    ground: Ground, rule: Rule, label: str, asked: bool, setting: list[Rule], known: dict[str, list[Rule]]
) -> Flaw | None:
    """Say what is odd about one label that a rule asks for; `asked` is False where it must not be there."""
    near = None if setting else _near(label, known)
    arriving = rule.event is EventKind.MESSAGE_RECEIVED
    if near:
        other = known[near][0]
        message = (
            f"'{rule.id}' asks for the label '{label}', which no rule sets; {named(other)} sets '{near}'"
        )
        return flaw("label", message, rule.place, certain=False, other=other)
    if not asked or not arriving:
        return None
    if not setting:
        message = (
            f"'{rule.id}' asks for the label '{label}', which no rule sets, and what arrives bears no label "
            "that people set"
        )
        return flaw("label", message, rule.place, certain=False)
    first = min(setting, key=lambda each: ground.places[each.id])
    if ground.places[first.id] > ground.places[rule.id]:
        message = f"'{rule.id}' asks for the label '{label}', which only a later rule sets: {named(first)}"
        return flaw("label", message, rule.place, certain=False, other=first)
    return None


def _asked(condition: Condition, *, asked: bool) -> Iterator[tuple[str, bool]]:
    """Give every label that is asked for by name, and whether it has to be there."""
    condition = plain(condition)
    if isinstance(condition, Label) and condition.is_:
        yield from ((label, asked) for label in condition.is_ if label.upper() not in SYSTEM_LABELS)
    turned = not asked if condition.key in ("not", "none") else asked
    for member in condition.members:
        yield from _asked(member, asked=turned)


def _setters(ground: Ground) -> dict[str, list[Rule]]:
    """Which rules put each label on; a capture in its name stands as one sign."""
    found: dict[str, list[Rule]] = defaultdict(list)
    for rule in ground.rules:
        for label in _added(rule):
            if not found[label] or found[label][-1] is not rule:
                found[label].append(rule)
    return dict(found)


def _added(rule: Rule) -> Iterator[str]:
    for action in rule.then:
        texts = [text for below, text in action.texts() if below[:1] == ("add",)]
        yield from (nfc(_CAPTURE.sub(_WILD, text)) for text in texts)
    for effect in rule.outcome({}).effects:
        if isinstance(effect, ChangeLabels):
            yield from map(nfc, effect.add)


def _pattern(label: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, label.split(_WILD))), re.DOTALL)


def _near(label: str, known: dict[str, list[Rule]]) -> str | None:
    """Find a label that was probably meant: spelt alike, or with other capitals."""
    folded = {fold(each): each for each in known}
    if fold(label) in folded:
        return folded[fold(label)]
    close = get_close_matches(fold(label), folded, n=1, cutoff=0.85)
    return folded[close[0]] if close else None
