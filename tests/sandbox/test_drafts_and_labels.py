"""Drafts and labels."""

from __future__ import annotations

import pytest

from engine.sandbox.labels import DEEPEST, SYSTEM
from tests.sandbox.driving import Driver, decoded, encoded, mail


async def test_a_draft_is_created_shown_listed_and_deleted(driver: Driver) -> None:
    made = await driver.post("/drafts", {"message": {"raw": encoded(mail("later"))}})
    assert made["message"]["labelIds"] == ["DRAFT"]
    listed = (await driver.get("/drafts"))["drafts"]
    assert [entry["id"] for entry in listed] == [made["id"]]
    shown = await driver.get(f"/drafts/{made['id']}", format="raw")
    assert decoded(shown["message"]["raw"]) == mail("later")
    assert (await driver.call("DELETE", f"/drafts/{made['id']}")).status_code == 204
    assert (await driver.get("/drafts"))["drafts"] == []


async def test_an_empty_draft_can_be_made(driver: Driver) -> None:
    response = await driver.call("POST", "/drafts")
    assert response.json()["message"]["labelIds"] == ["DRAFT"]


async def test_a_message_is_no_draft(driver: Driver) -> None:
    id_ = await driver.deliver(mail())
    assert (await driver.call("GET", f"/drafts/{id_}")).status_code == 404
    assert (await driver.call("DELETE", f"/drafts/{id_}")).status_code == 404


async def test_drafts_are_searched_and_paged(driver: Driver) -> None:
    ids = [
        (await driver.post("/drafts", {"message": {"raw": encoded(mail(message_id=f"<{n}@x>"))}}))["id"]
        for n in range(5)
    ]
    first = await driver.get("/drafts", maxResults=3)
    rest = await driver.get("/drafts", maxResults=3, pageToken=first["nextPageToken"])
    assert [entry["id"] for entry in first["drafts"] + rest["drafts"]] == ids[::-1]
    assert "nextPageToken" not in rest
    found = (await driver.get("/drafts", q="rfc822msgid:<3@x>"))["drafts"]
    assert [entry["id"] for entry in found] == [ids[3]]


async def draft(driver: Driver, raw: bytes) -> str:
    return str((await driver.post("/drafts", {"message": {"raw": encoded(raw)}}))["id"])


async def test_a_draft_is_replaced_under_its_id(driver: Driver) -> None:
    id_ = await draft(driver, mail("first"))
    start = await driver.cursor()
    body = {"message": {"raw": encoded(mail("second", "x" * 999, message_id="<2@x>"))}}
    response = await driver.call("PUT", f"/drafts/{id_}", json=body)
    assert (response.status_code, response.json()["id"]) == (200, id_)
    shown = await driver.get(f"/messages/{id_}", format="raw")
    assert decoded(shown["raw"]) == decoded(body["message"]["raw"])
    assert (shown["snippet"][:3], shown["historyId"]) == ("xxx", await driver.cursor())
    assert [found["id"] for found in (await driver.get("/drafts", q="rfc822msgid:2@x"))["drafts"]] == [id_]
    (record,) = await driver.history(start, historyTypes="messageUpdated")
    assert record["messagesUpdated"][0]["message"] == {"id": id_, "threadId": id_, "labelIds": ["DRAFT"]}
    assert (await driver.get("/profile"))["mboxSize"] == len(decoded(shown["raw"]))


async def test_a_draft_is_sent_as_a_scheduled_copy_that_takes_its_place(driver: Driver) -> None:
    id_ = await draft(driver, mail(to="out@else.example"))
    await driver.post(f"/messages/{id_}/modify", {"addLabelIds": ["STARRED"]})
    start = await driver.cursor()
    sent = await driver.post("/drafts/send", {"id": id_})
    assert (sent["labelIds"], sent["id"] == id_) == (["SCHEDULED", "STARRED"], False)
    assert (await driver.call("GET", f"/drafts/{id_}")).status_code == 404
    assert await driver.labels(sent["id"]) == {"SENT", "STARRED"}
    gone, added, moved = await driver.history(start)
    assert gone["messagesDeleted"][0]["message"]["id"] == id_
    assert added["messagesAdded"][0]["message"]["id"] == sent["id"]
    assert moved["labelsAdded"][0]["labelIds"] == ["SENT"]
    assert [left["id"] for left in (await driver.look("outbox"))["messages"]] == [sent["id"]]


async def test_a_draft_may_be_given_its_last_words_as_it_is_sent(driver: Driver) -> None:
    id_ = (await driver.post("/drafts"))["id"]
    raw = mail("last words", to="out@else.example", message_id="<1@x>")
    await driver.post("/drafts/send", {"id": id_, "message": {"raw": encoded(raw)}})
    (left,) = (await driver.look("outbox"))["messages"]
    assert decoded(left["raw"]) == raw


async def test_a_draft_that_cannot_be_sent_stays(driver: Driver) -> None:
    id_ = (await driver.post("/drafts"))["id"]
    start = await driver.cursor()
    assert (await driver.call("POST", "/drafts/send", json={"id": id_})).status_code == 400
    assert (await driver.get(f"/drafts/{id_}"))["id"] == id_
    assert await driver.cursor() == start


async def test_a_draft_that_is_not_there_cannot_be_sent(driver: Driver) -> None:
    assert (await driver.call("POST", "/drafts/send", json={"id": "x"})).status_code == 404


async def test_drafts_in_the_trash_are_listed_on_demand(driver: Driver) -> None:
    id_ = await draft(driver, mail())
    await driver.post(f"/messages/{id_}/trash")
    assert (await driver.get("/drafts"))["drafts"] == []
    listed = await driver.get("/drafts", includeSpamTrash="true")
    assert [found["id"] for found in listed["drafts"]] == [id_]


@pytest.mark.parametrize(
    ("shape", "there"),
    [("full", {"payload"}), ("metadata", {"payload"}), ("raw", {"raw"}), ("minimal", set())],
)
async def test_a_draft_is_shown_in_four_formats(driver: Driver, shape: str, there: set[str]) -> None:
    shown = await driver.get(f"/drafts/{await draft(driver, mail())}", format=shape)
    assert {"payload", "raw"} & shown["message"].keys() == there


async def test_the_system_labels_are_there(driver: Driver) -> None:
    labels = (await driver.get("/labels"))["labels"]
    assert {label["id"] for label in labels if label["type"] == "system"} == set(SYSTEM)


async def test_a_label_is_created_with_its_shape(driver: Driver) -> None:
    shape = {
        "labelListVisibility": "labelHide",
        "messageListVisibilitystring": "hide",
        "color": {"textColor": "#000000", "backgroundColor": "#cccccc"},
    }
    made = await driver.post("/labels", {"name": "orders", "parentId": "", **shape})
    shown = await driver.get(f"/labels/{made['id']}")
    assert made["id"] == "Label_1"
    assert shown["messageListVisibility"] == made["messageListVisibilitystring"] == "hide"
    assert shown["labelListVisibility"] == "labelHide"
    assert shown["color"] == shape["color"]


async def test_labels_nest(driver: Driver) -> None:
    above = (await driver.post("/labels", {"name": "orders", "parentId": ""}))["id"]
    below = await driver.post("/labels", {"name": "open", "parentId": above})
    assert (below["parentId"], below["labelLevel"]) == (above, 1)
    id_ = await driver.deliver(mail(), labels="orders/open")
    assert await driver.labels(id_) == {below["id"]}
    assert (await driver.look("state", mailbox="ann@acme.example"))["messages"][0]["labels"] == [
        "orders/open"
    ]


async def test_labels_nest_only_so_deep(driver: Driver) -> None:
    parent = ""
    for _ in range(DEEPEST):
        parent = (await driver.post("/labels", {"name": "deeper", "parentId": parent}))["id"]
    too_deep = await driver.call("POST", "/labels", json={"name": "deeper", "parentId": parent})
    assert too_deep.status_code == 400


@pytest.mark.parametrize("name", ["orders", "INBOX", "inbox"])
async def test_a_name_is_taken_once(driver: Driver, name: str) -> None:
    await driver.post("/labels", {"name": "orders", "parentId": ""})
    response = await driver.call("POST", "/labels", json={"name": name, "parentId": ""})
    assert (response.status_code, response.json()["code"]) == (409, 409)


async def test_a_name_is_free_under_another_parent(driver: Driver) -> None:
    above = (await driver.post("/labels", {"name": "orders", "parentId": ""}))["id"]
    await driver.post("/labels", {"name": "orders", "parentId": above})


async def test_labels_count_messages_and_threads(driver: Driver) -> None:
    await driver.deliver(mail(message_id="<1@x>"))
    await driver.deliver(mail(In_Reply_To="<1@x>"), labels="INBOX")
    inbox = await driver.get("/labels/INBOX")
    assert (inbox["messagesTotal"], inbox["messagesUnread"]) == (2, 1)
    assert (inbox["threadsTotal"], inbox["threadsUnread"]) == (1, 1)


@pytest.mark.parametrize(
    ("shape", "has_counts", "has_visibility"),
    [("full", True, True), ("basic", False, True), ("minimal", False, False)],
)
async def test_labels_are_shown_in_three_formats(
    driver: Driver, shape: str, has_counts: bool, has_visibility: bool
) -> None:
    label = (await driver.get("/labels", format=shape))["labels"][0]
    assert ("messagesTotal" in label, "labelListVisibility" in label) == (has_counts, has_visibility)
