"""What follows from a condition: sound, and content to know little.

"Follows" is meant of every message: where the one matched, the other is not false. Where neither can be
shown, nothing is said. What rules remember from message to message is never reasoned about.
"""

from __future__ import annotations

from itertools import combinations, islice

from engine.rules.condition import Condition, walk
from engine.rules.lints.leaves import leaf_excludes, leaf_follows, leaf_impossible, leaf_sure

MAX_SIZE = 200
"""Single conditions of two rules that are compared with one another."""
MAX_PAIRS = 500


def follows(one: Condition, other: Condition) -> bool:
    """Say whether `other` certainly holds wherever `one` does."""
    return not _too_large(one, other) and _follows(one, other)


def excludes(one: Condition, other: Condition) -> bool:
    """Say whether the two certainly never hold together."""
    return not _too_large(one, other) and _excludes(one, other)


def impossible(one: Condition) -> bool:
    """Say whether a condition certainly never holds."""
    return not _too_large(one, one) and _impossible(one)


def sure(one: Condition) -> bool:
    """Say whether a condition certainly always holds, or is left open."""
    return not _too_large(one, one) and _sure(one)


def plain(one: Condition) -> Condition:
    """Look through what only carries another condition."""
    while one.key in ("group", "query") and len(one.members) == 1:
        one = one.members[0]
    return one


def _too_large(one: Condition, other: Condition) -> bool:
    sizes = [sum(1 for _ in islice(walk(each), MAX_SIZE + 1)) for each in (one, other)]
    return max(sizes) > MAX_SIZE


def _follows(one: Condition, other: Condition) -> bool:
    one, other = plain(one), plain(other)
    if other.key == "all":
        return all(_follows(one, member) for member in other.members)
    if one.key == "any":
        return all(_follows(member, other) for member in one.members)
    return _impossible(one) or _sure(other) or _one_follows(one, other)


def _one_follows(one: Condition, other: Condition) -> bool:
    """The same where `other` is no `all`, and `one` no `any`."""
    if one.key == "all" and any(_follows(member, other) for member in one.members):
        return True
    if other.key == "any":
        return any(_follows(one, member) for member in other.members)
    if other.key in ("none", "not"):
        return bool(other.members) and all(_excludes(one, member) for member in other.members)
    return not one.members and not other.members and leaf_follows(one, other)


def _excludes(one: Condition, other: Condition) -> bool:
    one, other = plain(one), plain(other)
    for this, that in ((one, other), (other, one)):
        if this.key == "any":
            return all(_excludes(member, that) for member in this.members)
        if this.key == "all" and any(_excludes(member, that) for member in this.members):
            return True
        if this.key in ("none", "not") and any(_follows(that, member) for member in this.members):
            return True
    return not one.members and not other.members and leaf_excludes(one, other)


def _impossible(one: Condition) -> bool:
    one = plain(one)
    if one.key == "all":
        pairs = islice(combinations(one.members, 2), MAX_PAIRS)
        return any(map(_impossible, one.members)) or any(_excludes(this, that) for this, that in pairs)
    if one.key == "any":
        return all(map(_impossible, one.members))
    if one.key in ("none", "not"):
        return any(map(_sure, one.members))
    return not one.members and leaf_impossible(one)


def _sure(one: Condition) -> bool:
    one = plain(one)
    if one.key == "all":
        return all(map(_sure, one.members))
    if one.key == "any":
        pairs = islice(combinations(one.members, 2), MAX_PAIRS)
        return any(map(_sure, one.members)) or any(_covers(this, that) for this, that in pairs)
    if one.key in ("none", "not"):
        return bool(one.members) and all(map(_impossible, one.members))
    return not one.members and leaf_sure(one)


def _covers(this: Condition, that: Condition) -> bool:
    """Say whether one of two holds in any case: where what one denies follows, or is the other's."""
    this, that = plain(this), plain(that)
    for one, other in ((this, that), (that, this)):
        if one.key == "not":
            denied = plain(one.members[0])
            if other.key == "not" and _excludes(denied, other.members[0]):
                return True
            if _follows(denied, other):
                return True
    return False
