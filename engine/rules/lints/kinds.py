"""What follows from ways to compare a text, an address or a size with fixed ones."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from math import inf

from engine.mail.address import Address
from engine.rules.addresses import AddressKinds
from engine.rules.patterns import Pattern
from engine.rules.people import AddressSet, Person
from engine.rules.quantities import SizeKinds
from engine.rules.text import Text, TextKinds, fold, nfc

Within = Callable[[str, str], bool]


def contained(one: Collection[str] | None, other: Collection[str] | None) -> bool:
    """Say whether one of some words is always one of others, where those are asked for at all."""
    return other is None or (one is not None and set(one) <= set(other))


def bounds(kinds: SizeKinds) -> tuple[float, float]:
    """Give the least and the most that fit; the least is above the most where nothing does."""
    low = max(
        [0, *(each.value + more for each, more in ((kinds.gt, 1), (kinds.gte, 0), (kinds.eq, 0)) if each)]
    )
    most = [each.value - less for each, less in ((kinds.lt, 1), (kinds.lte, 0), (kinds.eq, 0)) if each]
    return low, min(most, default=inf)


def size_contained(one: SizeKinds, other: SizeKinds) -> bool:
    """Say whether every size that fits the one fits the other."""
    (low, high), (least, most) = bounds(one), bounds(other)
    return least <= low and high <= most


def text_follows(one: TextKinds, other: TextKinds) -> bool:
    """Say whether every text that the one fits fits the other; both ask for a text to be there."""
    literal = nfc if one.exact else fold
    wholes = list(map(literal, one.is_ or ()))
    starts, ends = list(map(literal, one.starts_with or ())), list(map(literal, one.ends_with or ()))
    parts = list(map(literal, one.contains or ()))

    def each(given: list[str], wanted: Iterable[str], fits: Within) -> bool:
        return bool(given) and all(any(fits(text, part) for part in wanted) for text in given)

    def within(text: str, part: str) -> bool:
        return part in text

    checks = [other.is_ is None or each(wholes, map(literal, other.is_), str.__eq__)]
    if other.contains is not None:
        wanted = list(map(literal, other.contains))
        checks.append(any(each(given, wanted, within) for given in (wholes, starts, ends, parts)))
    if other.starts_with is not None:
        wanted = list(map(literal, other.starts_with))
        checks.append(any(each(given, wanted, str.startswith) for given in (wholes, starts)))
    if other.ends_with is not None:
        wanted = list(map(literal, other.ends_with))
        checks.append(any(each(given, wanted, str.endswith) for given in (wholes, ends)))
    checks.append(other.glob is None or _globs_follow(one.glob, wholes, other.glob, exact=one.exact))
    checks.append(contained(_expressions(one.regex), _expressions(other.regex)))
    return all(checks)


def _globs_follow(
    one: tuple[Pattern, ...] | None, wholes: list[str], other: tuple[Pattern, ...], *, exact: bool
) -> bool:
    if contained(_sources(one), _sources(other)) or any(set(glob.source) == {"*"} for glob in other):
        return True
    alone = TextKinds.model_construct(glob=other)
    stable = bool(wholes) and not exact and all(fold(text) == text for text in wholes)
    return stable and all(alone.match(Text(text)) is not None for text in wholes)


def _expressions(patterns: tuple[Pattern, ...] | None) -> list[str] | None:
    return None if patterns is None else [pattern.expression for pattern in patterns]


def _sources(globs: tuple[Pattern, ...] | None) -> list[str] | None:
    return None if globs is None else [glob.source for glob in globs]


def exclude_texts(one: TextKinds, other: TextKinds) -> bool:
    """Say whether no single text fits both."""
    literal = nfc if one.exact else fold
    for this, that in ((one, other), (other, one)):
        whole = list(map(literal, this.is_ or ()))
        if whole and not any(_may_be(text, that, literal) for text in whole):
            return True
    return _edges_differ(one.starts_with, other.starts_with, literal, str.startswith) or _edges_differ(
        one.ends_with, other.ends_with, literal, str.endswith
    )


def _may_be(text: str, kinds: TextKinds, literal: Callable[[str], str]) -> bool:
    """Say whether a whole text may fit; patterns see it as it was written, which is not known."""
    return (
        (kinds.is_ is None or text in map(literal, kinds.is_))
        and (kinds.contains is None or any(literal(part) in text for part in kinds.contains))
        and (kinds.starts_with is None or text.startswith(tuple(map(literal, kinds.starts_with))))
        and (kinds.ends_with is None or text.endswith(tuple(map(literal, kinds.ends_with))))
    )


def _edges_differ(
    one: tuple[str, ...] | None, other: tuple[str, ...] | None, literal: Callable[[str], str], fits: Within
) -> bool:
    if not one or not other:
        return False
    pairs = ((literal(this), literal(that)) for this in one for that in other)
    return not any(fits(this, that) or fits(that, this) for this, that in pairs)


def address_follows(one: AddressKinds, other: AddressKinds) -> bool:
    """Say whether every address that the one fits fits the other; both ask for one to be there."""
    return (
        all(any(_set_within(given, wanted) for given in one.sets) for wanted in other.sets)
        and (other.glob is None or _address_globs_follow(one, other.glob))
        and contained(_expressions(one.regex), _expressions(other.regex))
        and (other.name is None or (one.name is not None and _names_follow(one.name, other.name)))
    )


def _names_follow(one: TextKinds, other: TextKinds) -> bool:
    return one.exists is not False and other.exists is not False and text_follows(one, other)


def _set_within(one: AddressSet, other: AddressSet) -> bool:
    if not (one.addresses or one.domains or one.parents):
        return False
    return (
        all(other.has(Person(Address("", address))) for address in one.addresses)
        and all(domain in other.domains or domain.endswith(other.parents) for domain in one.domains)
        and all(parent.endswith(other.parents) for parent in one.parents)
    )


def _address_globs_follow(one: AddressKinds, wanted: tuple[Pattern, ...]) -> bool:
    if contained(_sources(one.glob), _sources(wanted)):
        return True
    alone = AddressKinds.model_construct(glob=wanted)
    fixed = [each.addresses for each in one.sets if each.addresses and not each.domains and not each.parents]
    return any(all(alone.match(Person(Address("", text))) is not None for text in each) for each in fixed)
