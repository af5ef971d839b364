"""Which conditions made a rule come out as it did, and the fewest that would have turned it round."""

from __future__ import annotations

from collections.abc import Iterator

from engine.rules.evaluation import Change, Reason, Verdict

NEGATIVE = frozenset({"not", "none"})
"""Conditions whose members must not hold."""


def failed(reason: Reason, *, wanted: Verdict = Verdict.MATCHED) -> Iterator[Reason]:
    """Give the single conditions that kept a condition from coming out as wanted."""
    if reason.verdict is wanted:
        return
    if not reason.children:
        yield reason
        return
    below = _below(reason, wanted)
    for child in reason.children:
        yield from failed(child, wanted=below)


def nearest(reason: Reason) -> tuple[Change, ...]:
    """Give the fewest changes of single conditions after which a condition would hold; none if it does."""
    return tuple(_change(leaf, wanted) for leaf, wanted in _turned(reason, Verdict.MATCHED))


Turned = list[tuple[Reason, Verdict]]
"""Single conditions, and how each would have to come out."""


def _turned(reason: Reason, wanted: Verdict) -> Turned:
    if reason.verdict is wanted:
        return []
    if not reason.children:
        return [(reason, wanted)]
    below = _below(reason, wanted)
    each = [_turned(child, below) for child in reason.children]
    return [one for turned in each for one in turned] if _takes_all(reason, wanted) else min(each, key=len)


def _below(reason: Reason, wanted: Verdict) -> Verdict:
    """How the members have to come out."""
    return _other(wanted) if _key(reason) in NEGATIVE else wanted


def _takes_all(reason: Reason, wanted: Verdict) -> bool:
    """Whether every member has to come out so, or one is enough."""
    one_is_enough = Verdict.NOT_MATCHED if _key(reason) == "all" else Verdict.MATCHED
    return _below(reason, wanted) is not one_is_enough


def _key(reason: Reason) -> str:
    return reason.path.rpartition(".")[2]


def _other(verdict: Verdict) -> Verdict:
    return Verdict.NOT_MATCHED if verdict is Verdict.MATCHED else Verdict.MATCHED


def _change(leaf: Reason, wanted: Verdict) -> Change:
    if wanted is Verdict.NOT_MATCHED:
        return Change(leaf.path, "must not hold")
    return Change(leaf.path, f"has to hold ({leaf.lacks})" if leaf.lacks else "has to hold")
