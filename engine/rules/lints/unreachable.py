"""Rules that are never asked about a message that they would match, since an earlier one ends the way."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import chain, islice

from engine.rules.lints.draft import Draft
from engine.rules.lints.flaw import Flaw, flaw, named
from engine.rules.lints.ground import Ground, asked_whenever, ends, read_labels
from engine.rules.lints.implies import follows, impossible, sure
from engine.rules.ruleset import Rule

MOST_COMPARED = 20
"""Earlier rules that one rule is compared with."""


def unreachable(ground: Ground) -> Iterator[Flaw]:
    """Find rules all of whose messages an earlier rule keeps from them."""
    alike, endless = _without_witness(ground)
    for rule in ground.rules:
        if impossible(rule.when):
            continue
        earlier: Iterable[Rule] = ground.holding_before(rule)
        if ground.witness(rule) is None:
            named_alike = chain(alike[written(rule)], endless)
            earlier = (each for each in named_alike if ground.places[each.id] < ground.places[rule.id])
        for each in islice((each for each in earlier if ends(each, rule)), MOST_COMPARED):
            if covered(ground, each, rule):
                yield _flaw(ground, rule, each)
                break


def written(rule: Rule) -> str:
    """A rule's condition as text, the same for all that are written alike."""
    return json.dumps([rule.when.key, rule.when.dump()], sort_keys=True, default=str)


def covered(ground: Ground, earlier: Rule, later: Rule) -> bool:
    """Say whether the earlier rule certainly applies, or is left open, wherever the later one would."""
    if not earlier.acts or not asked_whenever(earlier, later) or not follows(later.when, earlier.when):
        return False
    labels = [read_labels(each.when) for each in (earlier, later)]
    if None in labels:
        return False
    looked_at = frozenset[str]().union(*(each for each in labels if each))
    return not ground.changed_between(earlier, later, looked_at)


def _without_witness(ground: Ground) -> tuple[dict[str, list[Rule]], list[Rule]]:
    """Rules to compare with where no message was made up: those written alike, and those that always hold."""
    alike: dict[str, list[Rule]] = defaultdict(list)
    endless = [rule for rule in ground.rules if (rule.stop or rule.branches) and sure(rule.when)]
    for rule in ground.rules:
        if rule.stop or rule.branches:
            alike[written(rule)].append(rule)
    return alike, endless[:MOST_COMPARED]


def _flaw(ground: Ground, rule: Rule, earlier: Rule) -> Flaw:
    message = (
        f"'{rule.id}' is never reached: {named(earlier)} holds for every message that it would match, and "
        f"{ends(earlier, rule)}; put it before that rule, or take it out"
    )
    return flaw(
        "unreachable", message, rule.place, certain=True, other=earlier, proof=_proof(ground, rule, earlier)
    )


def _proof(ground: Ground, rule: Rule, earlier: Rule) -> Draft | None:
    """The made-up message, if judging it by all rules shows what was found."""
    draft = ground.witness(rule)
    if draft is None:
        return None
    matched = {match.rule for match in ground.judge(rule, draft).matches}
    return draft if earlier.id in matched and rule.id not in matched else None
