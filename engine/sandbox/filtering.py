"""Filters at work: what they ask of a message, and what all that match do to it together.

Filters act on mail as it arrives, in the order in which they were made, before it is seen: history shows
the message once, with the labels that they leave it. Imports and inserts pass them by (presumed).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from engine.mail.query import AllOf, AnyOf, Field, HasAttachment, Not, Query, Size
from engine.mail.search import SearchError, parse_search
from engine.sandbox.failure import invalid
from engine.sandbox.judging import answers
from engine.sandbox.labels import every_label, path_of
from engine.sandbox.store import Mailbox, Store

_RECIPIENTS = ("to", "cc", "bcc")


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter; `shape` is {"criteria", "action"} as the API names their fields."""

    id: str
    shape: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Filtered:
    """What becomes of an arriving message."""

    labels: frozenset[str]
    forwards: tuple[str, ...] = field(default=())


def every_filter(store: Store, box: Mailbox) -> list[Filter]:
    """All filters of a mailbox, oldest first."""
    rows = store.db.execute("SELECT id, shape FROM filters WHERE mailbox = ? ORDER BY row", (box.row,))
    return [Filter(row["id"], json.loads(row["shape"])) for row in rows]


def filter_mail(store: Store, box: Mailbox, raw: bytes, labels: Collection[str]) -> Filtered:
    """Apply every filter that matches; each sees the message as it came."""
    filters = every_filter(store, box)
    if not filters:
        return Filtered(frozenset(labels))
    known = every_label(store, box)
    names = [path_of(known, label) for label in labels]
    left, forwards = set(labels), []
    for one in filters:
        if answers(query_of(json.dumps(one.shape["criteria"])), raw, "", names, store.now()):
            action = one.shape["action"]
            left = left.union(action.get("addLabelIds", ())).difference(action.get("removeLabelIds", ()))
            forwards += [action["forward"]] if "forward" in action else []
    return Filtered(frozenset(left & known.keys()), tuple(dict.fromkeys(forwards)))


@lru_cache(maxsize=4096)
def query_of(criteria: str) -> AllOf:
    """Read criteria (JSON) as a search. Raises ApiError 400 for a line that cannot be read."""
    return AllOf(tuple(_terms(json.loads(criteria))))


def _terms(criteria: dict[str, Any]) -> Iterator[Query]:
    if text := criteria.get("from"):
        yield Field("from", text)
    if text := criteria.get("to"):
        # "example" and "example@" both match "example@zmail.com" (Zoom's text).
        yield AnyOf(tuple(Field(name, text.removesuffix("@")) for name in _RECIPIENTS))
    if text := criteria.get("subject"):
        yield Field("subject", text)
    if line := criteria.get("query"):
        yield _parsed("query", line)
    if line := criteria.get("negatedQuery"):
        yield Not(_parsed("negatedQuery", line))
    if criteria.get("hasAttachment"):
        yield HasAttachment()
    match criteria.get("sizeComparison"):
        case "larger":
            yield Size(above=criteria["size"])
        case "smaller":
            yield Size(below=criteria["size"])


def _parsed(where: str, line: str) -> Query:
    try:
        return parse_search(line)
    except SearchError as error:
        raise invalid(where, str(error)) from error
