"""`any` of negatives: what holds of nearly every message was hardly meant."""

from __future__ import annotations

from collections.abc import Iterator

from engine.rules.condition import Condition, walk
from engine.rules.evaluation import Verdict
from engine.rules.home import SOMEWHERE
from engine.rules.lints.draft import Draft
from engine.rules.lints.flaw import Flaw, flaw
from engine.rules.lints.ground import Ground
from engine.rules.lints.implies import plain, sure
from engine.rules.lints.witness import witness

NEGATIVE = frozenset({"not", "none"})


def negatives(ground: Ground) -> Iterator[Flaw]:
    """Find each `any` of which all members deny something."""
    for rule in ground.rules:
        for node in walk(rule.when):
            if not _all_deny(node):
                continue
            always = sure(node)
            holds = "always holds" if always else "holds of every message that lacks one of them"
            message = f"in '{rule.id}', any of negatives {holds}; to ask that none of them holds, write none"
            yield flaw("negatives", message, rule.place, certain=always, proof=_proof(node))


def _all_deny(node: Condition) -> bool:
    return (
        node.key == "any"
        and len(node.members) > 1
        and all(plain(each).key in NEGATIVE for each in node.members)
    )


def _proof(node: Condition) -> Draft | None:
    """A message that has what one member denies, and of which the whole holds all the same."""
    for member in node.members:
        for denied in plain(member).members:
            draft = witness(denied)
            if draft and node.judge(draft.view(SOMEWHERE)).verdict is Verdict.MATCHED:
                return draft
    return None
