"""Label names and ids, and changing labels with few calls."""

from __future__ import annotations

from typing import Any

import pytest

from engine.errors import MessageGone, RateLimited, Rejected, Unavailable
from engine.providers.zoom_mail.label_models import Label
from engine.providers.zoom_mail.labels import KEEP_S, read_book
from tests.providers.fakes import BOX, Desk, refusal


def label(id_: str, name: str, parent: str = "", type_: str = "user") -> dict[str, Any]:
    return {"id": id_, "name": name, "parentId": parent, "type": type_}


FINANCE, PAID = label("Label_1", "Finance"), label("Label_2", "Paid", "Label_1")
LISTED = {"labels": [label("INBOX", "Inbox", type_="system"), FINANCE, PAID]}
MODIFIED = {"id": "m", "threadId": "m", "labelIds": []}


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.script.on("GET labels", LISTED).on("POST messages/batchModify", {})
    for key in ("m1", "m2", "m3"):
        desk.script.on(f"POST messages/{key}/modify", MODIFIED)
    return desk


def path_of(*labels: dict[str, Any]) -> str:
    book = read_book([Label.model_validate(each) for each in labels], 0.0)
    return book.names[labels[0]["id"]]


@pytest.mark.parametrize(
    ("labels", "path"),
    [
        pytest.param([FINANCE], "Finance", id="a label at the top"),
        pytest.param([PAID, FINANCE], "Finance/Paid", id="a label below another"),
        pytest.param([label("L3", "Old", "Label_2"), PAID, FINANCE], "Finance/Paid/Old", id="three levels"),
        pytest.param([label("L2", "Finance/Paid", "Label_1"), FINANCE], "Finance/Paid", id="a full name"),
        pytest.param([label("L2", "A/B")], "A/B", id="a name with a slash and no parent"),
        pytest.param([PAID], "Paid", id="a parent that is not listed"),
        pytest.param([label("A", "a", "B"), label("B", "b", "A")], "b/a", id="parents in a circle"),
        pytest.param([label("A", "a", "A")], "a", id="its own parent"),
        pytest.param([label("INBOX", "Posteingang", type_="system")], "INBOX", id="a system label"),
    ],
)
def test_a_label_has_a_full_path(labels: list[dict[str, Any]], path: str) -> None:
    assert path_of(*labels) == path


async def test_system_labels_take_no_call(desk: Desk) -> None:
    assert await desk.books.ids(BOX, ["STARRED", "INBOX"], create=True) == ["STARRED", "INBOX"]
    assert await desk.books.names(BOX, ["UNREAD", "SPAM"]) == {}
    assert not desk.script.asked


async def test_a_listing_is_kept_until_it_is_old(desk: Desk) -> None:
    for _ in range(3):
        assert await desk.books.ids(BOX, ["Finance/Paid"], create=False) == ["Label_2"]
        assert (await desk.books.names(BOX, ["Label_1"]))["Label_1"] == "Finance"
    assert len(desk.script.calls("GET labels")) == 1
    desk.clock.now += KEEP_S
    await desk.books.names(BOX, ["Label_1"])
    assert len(desk.script.calls("GET labels")) == 2


async def test_an_unknown_id_is_looked_up_once(desk: Desk) -> None:
    await desk.books.names(BOX, ["Label_1"])
    for _ in range(3):
        assert "Label_9" not in await desk.books.names(BOX, ["Label_9"])
    assert len(desk.script.calls("GET labels")) == 2
    await desk.books.names(BOX, ["Label_10"])
    await desk.books.names(BOX, ["Label_9", "Label_10"])
    assert len(desk.script.calls("GET labels")) == 3


async def test_missing_labels_are_made_from_the_top_down(desk: Desk) -> None:
    desk.script.on("POST labels", label("Label_3", "2026"), label("Label_4", "May"))
    ids = await desk.books.ids(BOX, ["Finance/2026/May"], create=True)
    assert ids == ["Label_4"]
    asked = [(call.json["name"], call.json["parentId"]) for call in desk.script.calls("POST labels")]
    assert asked == [("2026", "Label_1"), ("May", "Label_3")]
    assert await desk.books.ids(BOX, ["Finance/2026"], create=False) == ["Label_3"]
    assert len(desk.script.calls("GET labels")) == 1


async def test_a_label_that_somebody_else_makes_meanwhile_is_used(desk: Desk) -> None:
    desk.script.on("GET labels", LISTED, {"labels": [*LISTED["labels"], label("Label_7", "New")]})
    desk.script.on("POST labels", 409)
    assert await desk.books.ids(BOX, ["New"], create=True) == ["Label_7"]


async def test_a_label_that_a_fresh_listing_lacks_is_made_without_another_look(desk: Desk) -> None:
    await desk.books.names(BOX, ["Label_1"])
    desk.script.on("POST labels", label("Label_7", "New"))
    assert await desk.books.ids(BOX, ["New"], create=True) == ["Label_7"]
    assert len(desk.script.calls("GET labels")) == 1


async def test_a_label_below_a_parent_that_was_remade_is_made(desk: Desk) -> None:
    await desk.books.names(BOX, ["Label_1"])
    desk.script.on("GET labels", {"labels": [label("Label_8", "Finance")]})
    desk.script.on("POST labels", 400, label("Label_9", "New", "Label_8"))
    await desk.provider.change_labels(BOX, ["m1", "m2"], ["Finance/New"], [])
    assert [call.json["parentId"] for call in desk.script.calls("POST labels")] == ["Label_1", "Label_8"]
    assert desk.script.calls("POST messages/batchModify")[0].json["addLabelIds"] == ["Label_9"]


async def test_a_name_that_is_taken_and_not_listed_is_refused(desk: Desk) -> None:
    desk.script.on("POST labels", 409)
    with pytest.raises(Rejected, match="taken by another"):
        await desk.books.ids(BOX, ["Inbox"], create=True)


@pytest.mark.parametrize("name", ["", "/", "A/", "/A", "A//B", "A/ /B", "/".join("x" * 51)])
async def test_a_name_with_an_empty_level_is_refused(desk: Desk, name: str) -> None:
    with pytest.raises(Rejected):
        await desk.books.ids(BOX, [name], create=True)
    assert not desk.script.calls("POST labels")


async def test_a_label_made_after_the_listing_is_taken_off(desk: Desk) -> None:
    await desk.books.names(BOX, ["Label_1"])
    desk.script.on("GET labels", {"labels": [*LISTED["labels"], label("Label_7", "New")]})
    await desk.provider.change_labels(BOX, ["m1", "m2"], [], ["New", "Nobody's"])
    assert desk.script.calls("POST messages/batchModify")[0].json == {
        "ids": ["m1", "m2"],
        "removeLabelIds": ["Label_7"],
    }


async def test_a_label_that_was_remade_under_another_id_is_found(desk: Desk) -> None:
    await desk.books.ids(BOX, ["Finance"], create=False)
    desk.script.on("GET labels", {"labels": [label("Label_8", "Finance")]})
    desk.script.on("POST messages/batchModify", 400, {})
    await desk.provider.change_labels(BOX, ["m1", "m2"], ["Finance"], [])
    asked = [call.json["addLabelIds"] for call in desk.script.calls("POST messages/batchModify")]
    assert asked == [["Label_1"], ["Label_8"]]


async def test_a_change_that_is_refused_for_another_reason_stays_refused(desk: Desk) -> None:
    desk.script.on("POST messages/batchModify", 400)
    with pytest.raises(Rejected):
        await desk.provider.change_labels(BOX, ["m1", "m2"], ["Finance"], [])
    assert len(desk.script.calls("POST messages/batchModify")) == 1


async def test_a_spent_day_turns_to_single_calls(desk: Desk) -> None:
    desk.script.on("POST messages/batchModify", refusal(429, retry_after="2226-01-01T00:00:00Z"))
    await desk.provider.change_labels(BOX, ["m1", "m2", "m3"], ["Finance"], ["INBOX"])
    for key in ("m1", "m2", "m3"):
        [call] = desk.script.calls(f"POST messages/{key}/modify")
        assert call.json == {"addLabelIds": ["Label_1"], "removeLabelIds": ["INBOX"]}


async def test_our_own_spent_day_turns_to_single_calls(desk: Desk) -> None:
    desk.budget.waits = [3600.0]
    await desk.provider.change_labels(BOX, ["m1", "m2"], ["STARRED"], [])
    assert not desk.script.calls("POST messages/batchModify")
    assert len(desk.script.calls("POST messages/m2/modify")) == 1


async def test_a_short_limit_is_waited_for_by_the_caller(desk: Desk) -> None:
    desk.script.on("POST messages/batchModify", refusal(429, retry_after="5"))
    with pytest.raises(RateLimited):
        await desk.provider.change_labels(BOX, ["m1", "m2"], ["STARRED"], [])
    assert not desk.script.calls("POST messages/m1/modify")


KEYS = [f"m{number}" for number in range(1, 21)]


@pytest.mark.parametrize(
    ("status", "kind", "tried"),
    [
        pytest.param(404, MessageGone, 20, id="a message that is gone"),
        pytest.param(400, Rejected, 20, id="a message that is refused"),
        pytest.param(503, Unavailable, 8, id="a service that is down"),
        pytest.param(429, RateLimited, 8, id="a limit"),
    ],
)
async def test_what_is_wrong_with_one_message_spares_the_others(
    desk: Desk, status: int, kind: type[Exception], tried: int
) -> None:
    desk.script.on("POST messages/batchModify", refusal(429, retry_after="7200"))
    for key in KEYS[1:]:
        desk.script.on(f"POST messages/{key}/modify", MODIFIED)
    desk.script.on("POST messages/m1/modify", status)
    with pytest.raises(kind):
        await desk.provider.change_labels(BOX, KEYS, ["STARRED"], [])
    assert sum(bool(desk.script.calls(f"POST messages/{key}/modify")) for key in KEYS) == tried


async def test_nothing_to_change_takes_no_call(desk: Desk) -> None:
    await desk.provider.change_labels(BOX, [], ["STARRED"], [])
    await desk.provider.change_labels(BOX, ["m1"], [], [])
    assert not desk.script.asked
