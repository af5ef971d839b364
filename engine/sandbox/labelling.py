"""The operations on labels.

Zoom's text misspells two fields (`parentld`, `messageListVisibilitystring`); they are taken beside the
plain spellings, which win. Unknown ids answer 404 and names taken 409 in every operation.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from engine.sandbox.call import Call
from engine.sandbox.failure import invalid, not_found
from engine.sandbox.labels import (
    Label,
    create_label,
    drop_label,
    every_label,
    family,
    find_label,
    update_label,
)
from engine.sandbox.mailbox import change_labels, stored
from engine.sandbox.palette import PALETTE
from engine.sandbox.representation import Json, counted, label

LIST_VISIBILITY = ("labelShow", "labelHide", "labelShowIfUnread")
MESSAGE_VISIBILITY = ("show", "hide")
LONGEST_NAME = 255


def list_labels_in_mailbox(call: Call) -> Json:
    """`full` has counts, `basic` has none, `minimal` names the tree alone (presumed)."""
    shape = call.choice("format", ("full", "basic", "minimal"), "full")
    labels = every_label(call.store, call.box)
    shown = [counted(labels, one) if shape == "full" else label(labels, one) for one in labels.values()]
    if shape == "minimal":
        shown = [{key: one[key] for key in ("id", "name", "parentId", "type")} for one in shown]
    return {"labels": shown}


def get_label_in_mailbox(call: Call) -> Json:
    labels = every_label(call.store, call.box)
    found = labels.get(call.path["labelId"])
    if found is None:
        raise not_found("The label")
    return counted(labels, found)


def create_label_in_mailbox(call: Call) -> Json:
    made = create_label(call.store, call.box, _name(call), call.text("parentId"), _shape(call))
    shown = _shown(call, made)
    return shown | {"messageListVisibilitystring": shown["messageListVisibility"]}


def update_label_in_mailbox(call: Call) -> Json:
    """Replace a label: colour and visibilities that are left out return to what they are by default."""
    old = _user_label(call)
    parent = call.text("parentId") if "parentId" in call.body else call.text("parentld")
    new = replace(old, name=_name(call), parent=parent, shape=_shape(call))
    update_label(call.store, call.box, old, new)
    return _shown(call, new)


def patch_label_in_mailbox(call: Call) -> Json:
    """Change a label: colour and visibilities that are left out stay."""
    old = _user_label(call)
    new = replace(old, name=_name(call), parent=call.text("parentId"), shape=old.shape | _shape(call))
    update_label(call.store, call.box, old, new)
    return _shown(call, new)


def delete_label_from_mailbox(call: Call) -> None:
    """Delete a label and those below it (presumed), and take them off every message."""
    for label_ in family(every_label(call.store, call.box), _user_label(call)):
        rows = call.store.db.execute(
            "SELECT m.* FROM message_labels l JOIN messages m ON m.row = l.message"
            " WHERE l.mailbox = ? AND l.label = ? ORDER BY l.date, l.message",
            (call.box.row, label_.id),
        ).fetchall()
        for row in rows:
            change_labels(call.store, call.box, stored(row), (), {label_.id})
        drop_label(call.store, call.box, label_)


def _user_label(call: Call) -> Label:
    """The label that a call names. Raises ApiError 404, and 400 for one of the system's own."""
    found = find_label(call.store, call.box, call.path["labelId"])
    if found is None:
        raise not_found("The label")
    if found.kind == "system":
        raise invalid("labelId", "Labels of the system cannot be changed.")
    return found


def _name(call: Call) -> str:
    name = call.text("name").strip()
    if not 1 <= len(name) <= LONGEST_NAME:
        raise invalid("name", f"name has 1 to {LONGEST_NAME} characters.")
    return name


def _shown(call: Call, changed: Label) -> Json:
    shown = label(every_label(call.store, call.box), changed)
    del shown["type"]
    return shown


def _shape(call: Call) -> dict[str, object]:
    """Colour and visibilities."""
    given = dict(call.body)
    given.setdefault("messageListVisibility", given.get("messageListVisibilitystring"))
    shape = {}
    for name, allowed in (
        ("labelListVisibility", LIST_VISIBILITY),
        ("messageListVisibility", MESSAGE_VISIBILITY),
    ):
        if given.get(name) is not None:
            if given[name] not in allowed:
                raise invalid(name, f"{name} is one of {', '.join(allowed)}.")
            shape[name] = given[name]
    if given.get("color") is not None:
        shape["color"] = _colour(given["color"])
    return shape


def _colour(given: Any) -> dict[str, str]:
    names = ("textColor", "backgroundColor")
    if not isinstance(given, dict) or any(str(given.get(name)) not in PALETTE for name in names):
        raise invalid("color", "textColor and backgroundColor are set together, from Zoom's palette.")
    return {name: given[name] for name in names}
