"""The operations on a mailbox as a whole: profile, history, labels."""

from __future__ import annotations

from typing import Any

from engine.sandbox.call import Call
from engine.sandbox.failure import invalid, not_found
from engine.sandbox.labels import create_label, every_label, require_labels
from engine.sandbox.listing import page_of_history
from engine.sandbox.palette import PALETTE
from engine.sandbox.representation import Json, counted, label, label_counts, profile

KINDS = {
    "labelAdded": "labelsAdded", "labelRemoved": "labelsRemoved",
    "messageAdded": "messagesAdded", "messageDeleted": "messagesDeleted",
    "messageUpdated": "messagesUpdated", "messageImported": "messagesImported",
    "messageImportedNew": "messagesImportedNew",
    "settingAdded": "settingsAdded", "settingUpdated": "settingsUpdated",
    "settingDeleted": "settingsDeleted",
    "delegateAdded": "delegatesAdded", "delegateDeleted": "delegatesDeleted",
    "delegateUpdated": "delegatesUpdated",
    "delegatorsAdded": "delegatorsAdded", "delegatorsDeleted": "delegatorsDeleted",
    "delegatorsUpdated": "delegatorsUpdated",
}  # fmt: skip
"""History types by parameter value, each with the record key that it names."""

LIST_VISIBILITY = ("labelShow", "labelHide", "labelShowIfUnread")
MESSAGE_VISIBILITY = ("show", "hide")
LONGEST_NAME = 255


def get_mailbox_profile(call: Call) -> Json:
    return profile(call.store, call.box)


def list_mailbox_history(call: Call) -> Json:
    start = call.query.get("startHistoryId")
    if start is None:
        raise invalid("startHistoryId", "startHistoryId is required.")
    keys = (_keys(call, "historyTypes") or set(KINDS.values())) - _keys(call, "excludeHistoryTypes")
    wanted = call.query.get("labelId", "")
    require_labels(call.store, call.box, [wanted] if wanted else [], "labelId")
    page = page_of_history(
        call.store,
        call.box,
        start,
        call.page_token(),
        call.page_size(),
        lambda key, changes: key in keys and (not wanted or _carries(changes, wanted)),
    )
    answer: Json = {"history": page.records, "historyId": str(page.history)}
    return answer | {"nextPageToken": page.next_token} if page.next_token else answer


def list_labels_in_mailbox(call: Call) -> Json:
    """`full` has counts, `basic` has none, `minimal` names the tree alone (presumed)."""
    shape = call.choice("format", ("full", "basic", "minimal"), "full")
    labels = every_label(call.store, call.box)
    counts = label_counts(call.store, call.box) if shape == "full" else {}
    shown = [
        counted(labels, one, counts) if shape == "full" else label(labels, one) for one in labels.values()
    ]
    if shape == "minimal":
        shown = [{key: one[key] for key in ("id", "name", "parentId", "type")} for one in shown]
    return {"labels": shown}


def get_label_in_mailbox(call: Call) -> Json:
    labels = every_label(call.store, call.box)
    found = labels.get(call.path["labelId"])
    if found is None:
        raise not_found("The label")
    return counted(labels, found, label_counts(call.store, call.box, found.id))


def create_label_in_mailbox(call: Call) -> Json:
    name = call.text("name").strip()
    if not 1 <= len(name) <= LONGEST_NAME:
        raise invalid("name", f"name has 1 to {LONGEST_NAME} characters.")
    made = create_label(call.store, call.box, name, call.text("parentId"), _shape(call))
    shown = label(every_label(call.store, call.box), made)
    del shown["type"]
    return shown | {"messageListVisibilitystring": shown["messageListVisibility"]}


def _shape(call: Call) -> dict[str, object]:
    """Colour and visibilities; Zoom's text spells the one field `messageListVisibilitystring`."""
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


def _keys(call: Call, name: str) -> set[str]:
    values = call.several(name)
    for value in values:
        if value not in KINDS:
            raise invalid(name, f"{name} does not know {value[:100]}.")
    return {KINDS[value] for value in values}


def _carries(changes: object, wanted: str) -> bool:
    """Whether a change is of a message with the label; settings and delegates are of none."""
    return isinstance(changes, list) and any(
        wanted in [*change.get("labelIds", ()), *change.get("message", {}).get("labelIds", ())]
        for change in changes
        if isinstance(change, dict)
    )
