"""What follows from a single condition."""

from __future__ import annotations

from datetime import UTC, timedelta

from engine.rules.address_condition import AddressCondition
from engine.rules.addresses import AddressKinds
from engine.rules.condition import Condition
from engine.rules.conditions.attachment import Attachment
from engine.rules.conditions.attachments import Attachments
from engine.rules.conditions.automated import Automated
from engine.rules.conditions.header import Header
from engine.rules.conditions.is_ import Is
from engine.rules.conditions.received import Received
from engine.rules.conditions.size import Size
from engine.rules.conditions.subject import Subject
from engine.rules.lints.kinds import (
    address_follows,
    bounds,
    contained,
    exclude_texts,
    size_contained,
    text_follows,
)
from engine.rules.quantities import SizeKinds
from engine.rules.remembering import Remembering
from engine.rules.strict import Strict
from engine.rules.text import TextKinds

_ZONES_APART = timedelta(days=2)
"""More than any two time zones differ: a day may be read in either."""


def leaf_follows(one: Condition, other: Condition) -> bool:
    """Say whether `other` certainly holds wherever `one` does.

    What compares with earlier messages may come out differently each time it is asked.
    """
    if isinstance(one, Remembering) or isinstance(other, Remembering):
        return False
    return (
        one == other
        or _address_follows(one, other)
        or _text_follows(one, other)
        or _attachment_follows(one, other)
        or _fact_follows(one, other)
    )


def leaf_excludes(one: Condition, other: Condition) -> bool:
    """Say whether the two certainly never hold together."""
    if _denies(one, other) or _denies(other, one):
        return True
    if isinstance(one, Subject) and isinstance(other, Subject):
        return exclude_texts(one, other)
    if isinstance(one, Size) and isinstance(other, Size):
        (low, high), (least, most) = bounds(one), bounds(other)
        return max(low, least) > min(high, most)
    if isinstance(one, Automated) and isinstance(other, Automated):
        return (one.kinds is False) != (other.kinds is False)
    if isinstance(one, Received) and isinstance(other, Received):
        return _never_at(one, other) or _never_at(other, one)
    return False


def leaf_impossible(one: Condition) -> bool:
    """Say whether a single condition certainly never holds."""
    if isinstance(one, Received):
        return _never_at(one, one)
    asked: list[Strict | None] = [one]
    if isinstance(one, Attachment):
        asked = [one.name, one.size]
    elif isinstance(one, Attachments):
        asked = [one.count, one.total_size]
    return any(each is not None and _fits_nothing(each) for each in asked)


def _fits_nothing(kinds: Strict) -> bool:
    if isinstance(kinds, SizeKinds):
        low, high = bounds(kinds)
        return low > high
    return isinstance(kinds, TextKinds) and len(kinds.model_fields_set) > 1 and exclude_texts(kinds, kinds)


def _never_at(one: Received, other: Received) -> bool:
    """Say whether the first of two asks for what is later, or older, than all that the second takes."""
    if one.older_than and other.newer_than and one.older_than.value >= other.newer_than.value:
        return True
    if not one.after or not other.before:
        return False
    same = one.after.value == other.before.value and one.timezone == other.timezone
    return same or one.after.at(UTC) - other.before.at(UTC) > _ZONES_APART


def leaf_sure(one: Condition) -> bool:
    """Say whether a single condition certainly always holds, or is left open."""
    if one.key == "always":
        return True
    return isinstance(one, Size) and bounds(one)[0] <= 0 and bounds(one)[1] == float("inf")


def _fields(one: Strict, other: Strict) -> tuple[frozenset[str], frozenset[str]] | None:
    """Where two conditions on addresses look; None for others, and for those with a way of their own."""
    found = []
    for each in (one, other):
        plain = isinstance(each, AddressCondition) and type(each).make_check is AddressCondition.make_check
        if not plain and getattr(each, "key", "") != "address":
            return None
        found.append(frozenset(field.lower() for field in getattr(each, "fields", ())))
    return found[0], found[1]


def _address_follows(one: Strict, other: Strict) -> bool:
    fields = _fields(one, other)
    if not fields or not isinstance(one, AddressKinds) or not isinstance(other, AddressKinds):
        return False
    here, there = fields
    if other.exists is False or one.exists is False:
        return one.exists is other.exists is False and there <= here
    return here <= there and address_follows(one, other)


def _text_follows(one: Strict, other: Strict) -> bool:
    if not isinstance(one, TextKinds) or not isinstance(other, TextKinds):
        return False
    if not _looks_where(one, other):
        return False
    if one.exists is False or other.exists is False:
        return one.exists is other.exists is False and _same_place(one, other)
    return text_follows(one, other)


def _looks_where(one: Strict, other: Strict) -> bool:
    """Say whether the second looks at the same texts, or at more."""
    if not isinstance(other, Header):
        return _same_place(one, other)
    name = one.name.lower() if isinstance(one, Header) else "subject" if isinstance(one, Subject) else ""
    return name == other.name.lower()


def _same_place(one: Strict, other: Strict) -> bool:
    """Say whether two are of one type and differ at most in how they compare a text."""
    own = type(one).model_fields.keys() - TextKinds.model_fields.keys()
    return type(one) is type(other) and all(getattr(one, key) == getattr(other, key) for key in own)


def _fact_follows(one: Strict, other: Strict) -> bool:
    if isinstance(one, Size) and isinstance(other, Size):
        return size_contained(one, other)
    if isinstance(one, Is) and isinstance(other, Is):
        return set(one.facts) <= set(other.facts)
    if not isinstance(one, Automated) or not isinstance(other, Automated):
        return False
    if isinstance(one.kinds, bool) or isinstance(other.kinds, bool):
        return other.kinds is True and one.kinds is not False
    return set(one.kinds) <= set(other.kinds)


def _attachment_follows(one: Strict, other: Strict) -> bool:
    """Each key of the second must follow from the same key of the first: all keys bind to one file."""
    if not isinstance(one, Attachment) or not isinstance(other, Attachment):
        return False
    if one.exists is False or other.exists is False:
        return one.exists is other.exists is False
    return (
        (other.name is None or (one.name is not None and _names_follow(one.name, other.name)))
        and (other.size is None or (one.size is not None and size_contained(one.size, other.size)))
        and contained(one.type, other.type)
        and contained(one.sha256, other.sha256)
    )


def _names_follow(one: TextKinds, other: TextKinds) -> bool:
    return one.exists is not False and other.exists is not False and text_follows(one, other)


def _denies(one: Strict, other: Strict) -> bool:
    """Say whether one asks that nothing is there where the other asks for something."""
    if getattr(one, "exists", None) is not False or getattr(other, "exists", None) is False:
        return False
    if isinstance(one, Attachment):
        return isinstance(other, Attachment)
    if fields := _fields(one, other):
        return fields[1] <= fields[0]
    if isinstance(one, Header) and isinstance(other, Subject):
        return one.name.lower() == "subject"
    if isinstance(one, Header) or isinstance(other, Header):
        return (
            isinstance(one, Header) and isinstance(other, Header) and one.name.lower() == other.name.lower()
        )
    return isinstance(one, TextKinds) and _same_place(one, other)
