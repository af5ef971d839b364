"""The operations on filters. There is none that changes a filter: it is deleted and made anew."""

from __future__ import annotations

import json
from typing import Any

from engine.sandbox.call import Call, address_of
from engine.sandbox.failure import invalid, not_found
from engine.sandbox.filtering import Filter, every_filter, query_of
from engine.sandbox.ids import filter_id
from engine.sandbox.labels import FIXED, require_labels
from engine.sandbox.mailbox import reject_fixed
from engine.sandbox.representation import Json

MOST = 500
"""Filters of one mailbox (presumed)."""
LONGEST = 1000
"""Characters of a criterion."""
LARGEST = 2**40
_TEXTS = ("from", "to", "subject", "query", "negatedQuery")
_COMPARISONS = ("smaller", "larger", "unspecified", "unspecifield")
_UNSAFE = frozenset("<>'\"")
"""What subject, query and negatedQuery must not hold: "a general html safe string" (Zoom's text)."""


def list_email_filters(call: Call) -> Json:
    return {"filter": [_shown(one) for one in every_filter(call.store, call.box)]}


def create_email_filter(call: Call) -> Json:
    """Make a filter; one without criteria, or that does nothing, is refused (presumed)."""
    if len(every_filter(call.store, call.box)) >= MOST:
        raise invalid("criteria", f"A mailbox has at most {MOST} filters.")
    shape = {"criteria": _criteria(call.within("criteria")), "action": _action(call.within("action"))}
    row = call.store.db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'filters'").fetchone()
    id_ = filter_id(call.box.address, (row["seq"] if row else 0) + 1)
    call.store.db.execute(
        "INSERT INTO filters (mailbox, id, shape) VALUES (?, ?, ?)", (call.box.row, id_, json.dumps(shape))
    )
    call.store.record(call.box, {"settingsAdded": [{"type": "filter", "id": id_}]}, message=False)
    return _shown(Filter(id_, shape))


def get_email_filter(call: Call) -> Json:
    return _shown(_filter(call))


def delete_email_filter(call: Call) -> None:
    found = _filter(call)
    call.store.db.execute("DELETE FROM filters WHERE mailbox = ? AND id = ?", (call.box.row, found.id))
    call.store.record(call.box, {"settingsDeleted": [{"type": "filter", "id": found.id}]}, message=False)


def _filter(call: Call) -> Filter:
    for one in every_filter(call.store, call.box):
        if one.id == call.path["filterId"]:
            return one
    raise not_found("The filter")


def _shown(one: Filter) -> Json:
    return {"id": one.id, **one.shape}


def _criteria(call: Call) -> dict[str, Any]:
    texts = {name: _text(call, name) for name in _TEXTS if name in call.body}
    attached = {"hasAttachment": call.truth("hasAttachment")} if "hasAttachment" in call.body else {}
    criteria = texts | attached | _size(call)
    if not query_of(json.dumps(criteria)).queries:
        raise invalid("criteria", "Name at least one criterion.")
    return criteria


def _text(call: Call, name: str) -> str:
    value = call.text(name)
    if len(value) > LONGEST:
        raise invalid(name, f"{name} has at most {LONGEST} characters.")
    if name not in ("from", "to") and not _UNSAFE.isdisjoint(value):
        raise invalid(name, f"{name} must not hold < > ' or \".")
    return value


def _size(call: Call) -> dict[str, Any]:
    """`size` and `sizeComparison`, which mean something together alone."""
    size, comparison = call.body.get("size"), call.text("sizeComparison", "unspecified")
    if comparison not in _COMPARISONS:
        raise invalid("sizeComparison", f"sizeComparison is one of {', '.join(_COMPARISONS)}.")
    if size is None and comparison in ("smaller", "larger"):
        raise invalid("size", "sizeComparison needs a size.")
    if size is not None and (type(size) is not int or not 0 <= size <= LARGEST):
        raise invalid("size", "size is a number of bytes.")
    return {} if size is None else {"size": size, "sizeComparison": comparison}


def _action(call: Call) -> dict[str, Any]:
    action: dict[str, Any] = {}
    for name in ("addLabelIds", "removeLabelIds"):
        if ids := call.strings(name):
            reject_fixed(ids, FIXED, name)
            require_labels(call.store, call.box, ids, name)
            action[name] = ids
    if forward := call.text("forward", ""):
        action["forward"] = address_of(forward, "forward")
    if not action:
        raise invalid("action", "Name at least one thing to do.")
    return action
