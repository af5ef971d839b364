"""The operations on a mailbox as a whole: profile and history."""

from __future__ import annotations

from engine.sandbox.call import Call
from engine.sandbox.failure import invalid
from engine.sandbox.labels import require_labels
from engine.sandbox.listing import page_of_history
from engine.sandbox.representation import Json, profile

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
