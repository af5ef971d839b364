"""Conditions that never hold, or hold of no usual message."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, islice

from engine.rules.addresses import AddressKinds
from engine.rules.condition import Condition, walk
from engine.rules.conditions.from_ import From
from engine.rules.lints.flaw import Flaw, flaw
from engine.rules.lints.ground import Ground
from engine.rules.lints.implies import excludes, impossible, plain
from engine.rules.lints.kinds import address_follows
from engine.rules.ruleset import Rule

MOST_PAIRS = 500


def contradictory(ground: Ground) -> Iterator[Flaw]:
    """Find rules that can never match, and rules that ask for two senders."""
    for rule in ground.rules:
        if impossible(rule.when):
            message = f"'{rule.id}' never matches: {_why(rule.when)}"
            yield flaw("contradictory", message, rule.place, certain=True)
        elif senders := _two_senders(rule):
            one, other = senders
            message = (
                f"'{rule.id}' asks for two senders at once, {one.wanted()} and {other.wanted()}; "
                "to ask for either, write any"
            )
            yield flaw("contradictory", message, rule.place, certain=False)


def _why(condition: Condition) -> str:
    """Name the two conditions that deny one another, or the one that denies itself."""
    for node in map(plain, walk(condition)):
        if node.key == "all":
            for one, other in islice(combinations(node.members, 2), MOST_PAIRS):
                if excludes(one, other):
                    return f"{_told(one)} and {_told(other)} never hold together"
        elif not node.members and impossible(node):
            return f"{_told(node)} never holds"
    return "its conditions deny one another"


def _told(condition: Condition) -> str:
    wanted = condition.wanted()
    return f"{condition.key} {wanted if len(wanted) <= 100 else wanted[:100] + '...'}"


def _two_senders(rule: Rule) -> tuple[From, From] | None:
    """Of several conditions on From that must all hold, find two for which no one address will do."""
    for node in walk(rule.when):
        if node.key == "all":
            senders = [each for each in node.members if isinstance(each, From) and each.sets]
            for one, other in islice(combinations(senders, 2), MOST_PAIRS):
                if _apart(one, other):
                    return one, other
    return None


def _apart(one: AddressKinds, other: AddressKinds) -> bool:
    """Say whether two conditions compare with fixed addresses and share none."""
    if {*one.model_fields_set, *other.model_fields_set} - {"is_", "domain", "list_"}:
        return False
    return not (address_follows(one, other) or address_follows(other, one)) and not any(
        this.addresses & that.addresses
        or this.domains & that.domains
        or this.parents
        or that.parents
        or _touch(this.addresses, that.domains)
        or _touch(that.addresses, this.domains)
        for this in one.sets
        for that in other.sets
    )


def _touch(addresses: frozenset[str], domains: frozenset[str]) -> bool:
    return any(address.rpartition("@")[2] in domains for address in addresses)
