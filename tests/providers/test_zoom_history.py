"""Every kind of history record, into events."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.mail.events import Event, EventKind
from engine.providers.zoom_mail.history import events, label_ids, touches_labels

BOX = "support@acme.example"
NAMES = {"Label_1": "Finance", "Label_2": "Finance/Paid"}
KEY, THREAD = "7d4d447700000000_e85f09d67065eb70_121", "7d4d447700000000_e85f09d67065eb70_001"


def message(*labels: str) -> dict[str, Any]:
    return {"id": KEY, "threadId": THREAD, "labelIds": list(labels)}


def fact(kind: EventKind, labels: tuple[str, ...] = (), changed: tuple[str, ...] = ()) -> Event:
    return Event(kind, BOX, 1454, KEY, THREAD, labels, changed)


def bare(kind: EventKind, changed: str) -> Event:
    return Event(kind, BOX, 1454, changed=(changed,))


RECORDS = [
    pytest.param(
        {"messagesAdded": [{"message": message("INBOX", "UNREAD", "Label_1")}]},
        [fact(EventKind.MESSAGE_RECEIVED, ("INBOX", "UNREAD", "Finance"))],
        id="a message that arrives is received",
    ),
    pytest.param(
        {"messagesAdded": [{"message": message("SPAM")}]},
        [fact(EventKind.MESSAGE_RECEIVED, ("SPAM",))],
        id="a message that arrives in spam is received with that label",
    ),
    pytest.param(
        {"messagesAdded": [{"message": message("SENT")}]},
        [fact(EventKind.MESSAGE_SENT, ("SENT",))],
        id="a sent copy that is added is sent",
    ),
    pytest.param(
        {"messagesAdded": [{"message": message("SENT", "INBOX")}]},
        [fact(EventKind.MESSAGE_RECEIVED, ("SENT", "INBOX"))],
        id="a message to ourselves that lies in the inbox is received",
    ),
    pytest.param(
        {"messagesAdded": [{"message": message("SCHEDULED")}]},
        [fact(EventKind.MESSAGE_UPDATED, ("SCHEDULED",))],
        id="a scheduled copy is not sent yet",
    ),
    pytest.param(
        {"messagesAdded": [{"message": message("DRAFT")}]},
        [fact(EventKind.MESSAGE_UPDATED, ("DRAFT",))],
        id="a draft is an update",
    ),
    pytest.param(
        {"messagesImportedNew": [{"message": message("INBOX")}]},
        [fact(EventKind.MESSAGE_RECEIVED, ("INBOX",))],
        id="a message imported as new is received",
    ),
    pytest.param(
        {"messagesImported": [{"message": message("INBOX")}]},
        [fact(EventKind.MESSAGE_IMPORTED, ("INBOX",))],
        id="a message imported from elsewhere is imported",
    ),
    pytest.param(
        {"messagesUpdated": [{"message": message("DRAFT")}]},
        [fact(EventKind.MESSAGE_UPDATED, ("DRAFT",))],
        id="a message updated",
    ),
    pytest.param(
        {"messagesDeleted": [{"message": message()}]},
        [fact(EventKind.MESSAGE_DELETED)],
        id="a message deleted",
    ),
    pytest.param(
        {"labelsAdded": [{"labelIds": ["Label_2", "STARRED"], "message": message("INBOX", "Label_2")}]},
        [fact(EventKind.LABEL_ADDED, ("INBOX", "Finance/Paid"), ("Finance/Paid", "STARRED"))],
        id="labels added, by name",
    ),
    pytest.param(
        {"labelsAdded": [{"labelIds": ["SENT"], "message": message("SENT")}]},
        [fact(EventKind.LABEL_ADDED, ("SENT",), ("SENT",)), fact(EventKind.MESSAGE_SENT, ("SENT",))],
        id="a scheduled message that gains SENT is sent as well",
    ),
    pytest.param(
        {"labelsRemoved": [{"labelIds": ["UNREAD"], "message": message("INBOX")}]},
        [fact(EventKind.LABEL_REMOVED, ("INBOX",), ("UNREAD",))],
        id="labels removed",
    ),
    *(
        pytest.param(
            {f"settings{what}": [{"type": "vacation", "id": "7"}]},
            [bare(EventKind.SETTINGS_CHANGED, "vacation")],
            id=f"a setting {what.lower()}",
        )
        for what in ("Added", "Updated", "Deleted")
    ),
    *(
        pytest.param(
            {f"{who}{what}": ["ann@acme.example"]},
            [bare(EventKind.DELEGATE_CHANGED, "ann@acme.example")],
            id=f"{who} {what.lower()}",
        )
        for who in ("delegates", "delegators")
        for what in ("Added", "Updated", "Deleted")
    ),
    pytest.param(
        {
            "messagesAdded": [{"message": message("INBOX")}],
            "labelsAdded": [{"labelIds": ["STARRED"], "message": message("INBOX", "STARRED")}],
            "settingsAdded": [],
            "labelsRemoved": None,
        },
        [
            fact(EventKind.MESSAGE_RECEIVED, ("INBOX",)),
            fact(EventKind.LABEL_ADDED, ("INBOX", "STARRED"), ("STARRED",)),
        ],
        id="several facts in one record, and empty lists",
    ),
    pytest.param({"cid": "b35d091400000000_12185"}, [], id="a record with nothing but ids"),
]


@pytest.mark.parametrize(("record", "expected"), RECORDS)
def test_each_kind_of_record_is_an_event(record: dict[str, Any], expected: list[Event]) -> None:
    assert events({"id": "1454", **record}, BOX, NAMES) == (expected, [])


def test_every_event_kind_has_a_fixture() -> None:
    kinds = {event.kind for case in RECORDS for event in case.values[1]}  # type: ignore[union-attr]
    assert kinds == set(EventKind)


@pytest.mark.parametrize(
    ("record", "kept"),
    [
        pytest.param({"threadsMuted": [{"id": "1"}]}, {"threadsMuted": [{"id": "1"}]}, id="an unknown key"),
        pytest.param({"messagesAdded": [{"x": 1}]}, {"messagesAdded": [{"x": 1}]}, id="no message"),
        pytest.param({"settingsAdded": [{"id": "1"}]}, {"settingsAdded": [{"id": "1"}]}, id="no type"),
        pytest.param({"delegatesAdded": [{}]}, {"delegatesAdded": [{}]}, id="no address"),
        pytest.param({"messagesAdded": "odd"}, {"messagesAdded": ["odd"]}, id="no list"),
    ],
)
def test_what_has_no_kind_is_kept(record: dict[str, Any], kept: dict[str, Any]) -> None:
    good = {"labelsRemoved": [{"labelIds": ["UNREAD"], "message": message()}]}
    found, unknown = events({"id": "1454", **record, **good}, BOX, NAMES)
    assert [json.loads(text) for text in unknown] == [{"id": "1454", **kept}]
    assert [event.kind for event in found] == [EventKind.LABEL_REMOVED]


@pytest.mark.parametrize("id_", [None, "", "x", "0", [], "9" * 99])
def test_a_record_without_an_id_is_kept_whole(id_: object) -> None:
    record = {"id": id_, "messagesAdded": [{"message": message("INBOX")}]}
    found, unknown = events(record, BOX, NAMES)
    assert (found, [json.loads(text) for text in unknown]) == ([], [record])


def test_ids_may_be_numbers() -> None:
    found, _ = events({"id": 1454, "messagesDeleted": [{"message": message()}]}, BOX, NAMES)
    assert found[0].history == 1454


def test_label_ids_are_collected_wherever_they_stand() -> None:
    records: list[dict[str, Any]] = [
        {"messagesAdded": [{"message": message("A")}, {"broken": 1}]},
        {"labelsAdded": [{"labelIds": ["B"], "message": message("C")}]},
        {"settingsAdded": [{"type": "vacation"}]},
    ]
    assert label_ids(records) == {"A", "B", "C"}
    assert not touches_labels(records)
    assert touches_labels([*records, {"settingsUpdated": [{"type": "userLabels", "id": "Label_1"}]}])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
KEYS = st.sampled_from(["id", "messagesAdded", "labelsAdded", "settingsAdded", "delegatesAdded", "odd"])


@given(st.dictionaries(KEYS, JSON))
@settings(max_examples=100, deadline=None)
def test_no_record_crashes_and_no_content_vanishes(record: dict[str, Any]) -> None:
    found, unknown = events(record, BOX, {})
    touches_labels([record])
    label_ids([record])
    if any(content for key, content in record.items() if key != "id"):
        assert found or unknown
