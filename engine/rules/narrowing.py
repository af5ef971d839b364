"""What a message must have for a condition to hold, as far as a mail service can list by it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from engine.mail.search_match import label_name
from engine.rules.condition import Condition
from engine.rules.conditions.all_ import All
from engine.rules.conditions.label import Label
from engine.rules.conditions.query import Query
from engine.rules.conditions.received import Received
from engine.rules.groups import Entry
from engine.rules.search_leaves import IsLabelled


@dataclass(frozen=True, slots=True)
class Narrow:
    """Bounds on where to look; what lies within still has to be judged."""

    labels: frozenset[str] = frozenset()
    """Labels that it has, as `label_name` gives them: case does not matter, nor blank, `-`, `_` or `/`."""
    since: datetime | None = None
    until: datetime | None = None


def narrow(conditions: Iterable[Condition], now: datetime, zone: tzinfo) -> Narrow:
    """Give bounds within which at least one of the conditions may hold."""
    each = [_of_one(condition, now, zone) for condition in conditions]
    dates = [one.since for one in each], [one.until for one in each]
    since, until = (None if None in some else [date for date in some if date] for some in dates)
    return Narrow(
        frozenset.intersection(*(one.labels for one in each)),
        min(since) if since else None,
        max(until) if until else None,
    )


def _of_one(condition: Condition, now: datetime, zone: tzinfo) -> Narrow:
    asked = list(_together(condition))
    ranges = [_range(node, now, zone) for node in asked if isinstance(node, Received)]
    return Narrow(
        frozenset(label_name(name) for node in asked for name in _labels(node)),
        max((since for since, _ in ranges if since), default=None),
        min((until for _, until in ranges if until), default=None),
    )


def _together(condition: Condition) -> Iterator[Condition]:
    """Everything that has to hold at once."""
    if isinstance(condition, All | Entry | Query):
        for member in condition.members:
            yield from _together(member)
    else:
        yield condition


def _labels(node: Condition) -> tuple[str, ...]:
    if isinstance(node, IsLabelled):
        return (node.text,)
    only = isinstance(node, Label) and node.model_fields_set == {"is_"} and len(node.is_ or ()) == 1
    return tuple(node.is_ or ()) if isinstance(node, Label) and only else ()


def _range(node: Received, now: datetime, zone: tzinfo) -> tuple[datetime | None, datetime | None]:
    here = node.timezone or zone
    ages = node.newer_than, node.older_than
    newer, older = (now - timedelta(seconds=age.value) if age else None for age in ages)
    since = [date for date in (newer, node.after.at(here) if node.after else None) if date]
    until = [date for date in (older, node.before.at(here) if node.before else None) if date]
    return max(since, default=None), min(until, default=None)
