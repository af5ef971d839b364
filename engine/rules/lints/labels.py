"""Conditions on labels that nobody sets, or that are set too late."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from engine.mail.events import EventKind
from engine.rules.action import SYSTEM_LABELS
from engine.rules.condition import Condition
from engine.rules.conditions.label import Label
from engine.rules.effects import ChangeLabels
from engine.rules.lints.flaw import Flaw, flaw, named
from engine.rules.lints.ground import Ground
from engine.rules.lints.implies import plain
from engine.rules.patterns import Pattern, glob
from engine.rules.ruleset import Rule
from engine.rules.text import fold, nfc, to_bytes

_CAPTURE = re.compile(r"\{\{.*?\}\}")
_WILD = "\0"
MOST_VARYING = 200
"""Labels with captures in them: with more, whether some rule sets a label is not asked."""
MOST_ALIKE = 50
EDGE = 3


def labels(ground: Ground) -> Iterator[Flaw]:
    """Find labels that are asked for and that no rule sets, or only a later one."""
    setters = _setters(ground)
    fixed = {label: rules for label, rules in setters.items() if _WILD not in label}
    varying = [(_pattern(label), rules) for label, rules in setters.items() if _WILD in label]
    if len(varying) > MOST_VARYING:
        return
    alike = _Alike(fixed)
    for rule in ground.rules:
        for label, asked in _asked(rule.when, asked=True) if rule.state != "off" else ():
            setting, text = [*fixed.get(nfc(label), [])], to_bytes(nfc(label))
            setting += [
                each for pattern, rules in varying if pattern.search(text) is not None for each in rules
            ]
            if found := _judge(ground, rule, label, asked, setting, None if setting else alike.near(label)):
                yield found


def _judge(
    ground: Ground, rule: Rule, label: str, asked: bool, setting: list[Rule], near: tuple[str, Rule] | None
) -> Flaw | None:
    """Say what is odd about one label that a rule asks for; `asked` is False where it must not be there."""
    arriving = rule.event is EventKind.MESSAGE_RECEIVED
    if near:
        meant, other = near
        message = (
            f"'{rule.id}' asks for the label '{label}', which no rule sets; {named(other)} sets '{meant}'"
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
    acting = [each for each in setting if each.acts]
    if not acting:
        message = (
            f"'{rule.id}' asks for the label '{label}', which only {named(setting[0])} sets, and that rule "
            f"does nothing (state: {setting[0].state})"
        )
        return flaw("label", message, rule.place, certain=False, other=setting[0])
    first = min(acting, key=lambda each: ground.places[each.id])
    if ground.places[first.id] > ground.places[rule.id]:
        message = f"'{rule.id}' asks for the label '{label}', which only a later rule sets: {named(first)}"
        return flaw("label", message, rule.place, certain=False, other=first)
    return None


def _is_of_service(label: str) -> bool:
    """Say whether the service itself sets a label; labels match case-sensitively."""
    return label in SYSTEM_LABELS or label.startswith("CATEGORY_")


def _asked(condition: Condition, *, asked: bool) -> Iterator[tuple[str, bool]]:
    """Give every label that is asked for by name, and whether it has to be there."""
    condition = plain(condition)
    if isinstance(condition, Label) and condition.is_:
        yield from ((label, asked) for label in condition.is_ if not _is_of_service(label))
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


def _pattern(label: str) -> Pattern:
    """A glob that the label fits whatever was captured."""
    return glob("*".join(re.sub(r"([*?\\])", r"\\\1", piece) for piece in label.split(_WILD)))


class _Alike:
    """Labels by how they begin and end, so that a misspelt one is compared with few."""

    def __init__(self, known: Mapping[str, list[Rule]]) -> None:
        self._known = known
        self._folded = {fold(label): label for label in known}
        self._edges: dict[str, list[str]] = defaultdict(list)
        for label in self._folded:
            for edge in _edges(label):
                self._edges[edge].append(label)

    def near(self, label: str) -> tuple[str, Rule] | None:
        """Find a label spelt alike, or with other capitals, and a rule that sets it."""
        wanted = fold(label)
        if wanted not in self._folded:
            some = [each for edge in _edges(wanted) for each in self._edges.get(edge, [])[:MOST_ALIKE]]
            wanted = next(iter(get_close_matches(wanted, some, n=1, cutoff=0.85)), "")
        meant = self._folded.get(wanted)
        return (meant, self._known[meant][0]) if meant else None


def _edges(label: str) -> tuple[str, str]:
    return f"<{label[:EDGE]}", f"{label[-EDGE:]}>"
