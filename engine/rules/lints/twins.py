"""Rules that do again what another has done: duplicates, and rules in another's shadow."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice

from engine.rules.effects import ChangeLabels
from engine.rules.lints.draft import Draft
from engine.rules.lints.flaw import Flaw, flaw, named
from engine.rules.lints.ground import ANY_LABEL, Ground, changed_labels, ends
from engine.rules.lints.unreachable import covered, written
from engine.rules.ruleset import Rule

MOST_COMPARED = 20


def duplicate(ground: Ground) -> Iterator[Flaw]:
    """Find rules that do the same under the same condition."""
    first: dict[str, Rule] = {}
    for rule in ground.rules:
        if not rule.acts:
            continue
        earlier = first.setdefault(_whole(rule), rule)
        if earlier is not rule and not ends(earlier, rule) and covered(ground, earlier, rule):
            message = (
                f"'{rule.id}' does again what {named(earlier)} does, under the same condition; take one out"
            )
            yield flaw(
                "duplicate",
                message,
                rule.place,
                certain=True,
                other=earlier,
                proof=_both(ground, earlier, rule),
            )


def shadowed(ground: Ground) -> Iterator[Flaw]:
    """Find rules that change labels which an earlier rule has changed so already."""
    for rule in ground.rules:
        before = ground.holding_before(rule) if _only_labels(rule) else ()
        for earlier in islice((each for each in before if not ends(each, rule)), MOST_COMPARED):
            if _has_done(ground, earlier, rule) and _whole(earlier) != _whole(rule):
                message = (
                    f"'{rule.id}' changes nothing: {named(earlier)} has done the same to every message that "
                    "it matches; take it out, or change what it does"
                )
                proof = _both(ground, earlier, rule)
                yield flaw("shadowed", message, rule.place, certain=False, other=earlier, proof=proof)
                break


def _whole(rule: Rule) -> str:
    """All that makes a rule but its name and place."""
    does = [{action.key: action.dumped} for action in rule.then]
    where = [glob.source for glob in rule.scope], rule.layer, rule.event, rule.stop, rule.branches
    return json.dumps([written(rule), does, where], sort_keys=True, default=str)


def _only_labels(rule: Rule) -> bool:
    """Say whether a rule does nothing but change labels whose names it writes."""
    effects = rule.outcome({}).effects
    fixed = ANY_LABEL not in changed_labels(rule)
    return fixed and not rule.stop and bool(effects) and all(isinstance(one, ChangeLabels) for one in effects)


def _has_done(ground: Ground, earlier: Rule, later: Rule) -> bool:
    added, removed = _net(later)
    put_on, taken_off = _net(earlier)
    return (
        bool(added or removed)
        and added <= put_on
        and removed <= taken_off
        and not ground.changed_between(earlier, later, added | removed)
        and covered(ground, earlier, later)
    )


def _net(rule: Rule) -> tuple[frozenset[str], frozenset[str]]:
    """What a rule's own label changes come to, as labels put on and taken off."""
    added: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()
    for effect in rule.outcome({}).effects:
        if isinstance(effect, ChangeLabels):
            added = (added - set(effect.remove)) | set(effect.add)
            removed = (removed | set(effect.remove)) - set(effect.add)
    return added, removed


def _both(ground: Ground, earlier: Rule, later: Rule) -> Draft | None:
    """A message that both rules match, if judging it shows as much."""
    draft = ground.witness(later)
    if draft is None:
        return None
    matched = {match.rule for match in ground.judge(later, draft).matches}
    return draft if {earlier.id, later.id} <= matched else None
