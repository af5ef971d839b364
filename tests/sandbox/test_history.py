"""History: every change once, in order, after the cursor."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.driving import ANN, BOB, Driver, drive, encoded, mail


def kinds(records: list[dict[str, Any]]) -> list[set[str]]:
    return [set(record) - {"id"} for record in records]


async def test_a_delivery_is_an_addition(driver: Driver) -> None:
    start = await driver.cursor()
    id_ = await driver.deliver(mail())
    (record,) = await driver.history(start)
    shown = {"id": id_, "threadId": id_, "labelIds": ["INBOX", "UNREAD"]}
    assert record == {"id": await driver.cursor(), "messagesAdded": [{"message": shown}]}


@pytest.mark.parametrize(
    ("labels", "kind"),
    [
        pytest.param(["STARRED"], "messagesImported", id="an insert"),
        pytest.param(["INBOX"], "messagesImportedNew", id="an insert into the inbox"),
    ],
)
async def test_an_insert_is_an_import(driver: Driver, labels: list[str], kind: str) -> None:
    start = await driver.cursor()
    await driver.post("/messages", {"raw": encoded(mail()), "labelIds": labels})
    assert kinds(await driver.history(start)) == [{kind}]


async def test_one_change_of_labels_is_one_record(driver: Driver) -> None:
    id_ = await driver.deliver(mail())
    start = await driver.cursor()
    change = {"addLabelIds": ["STARRED", "INBOX"], "removeLabelIds": ["UNREAD", "SPAM"]}
    await driver.post(f"/messages/{id_}/modify", change)
    (record,) = await driver.history(start)
    message = {"id": id_, "threadId": id_, "labelIds": ["INBOX", "STARRED"]}
    assert record["labelsAdded"] == [{"labelIds": ["STARRED"], "message": message}]
    assert record["labelsRemoved"] == [{"labelIds": ["UNREAD"], "message": message}]
    assert (await driver.get(f"/messages/{id_}"))["historyId"] == record["id"]


async def test_a_change_of_nothing_is_no_record(driver: Driver) -> None:
    id_ = await driver.deliver(mail())
    start = await driver.cursor()
    await driver.post(f"/messages/{id_}/modify", {"addLabelIds": ["INBOX"], "removeLabelIds": ["SPAM"]})
    await driver.post("/messages/batchModify", {"ids": [id_], "addLabelIds": ["UNREAD"]})
    await driver.post(f"/messages/{id_}/untrash")
    assert await driver.history(start) == []
    assert await driver.cursor() == start


async def test_deletion_drafts_and_labels_are_recorded(driver: Driver) -> None:
    start = await driver.cursor()
    draft = (await driver.post("/drafts", {"message": {"raw": encoded(mail())}}))["id"]
    label = (await driver.post("/labels", {"name": "orders", "parentId": ""}))["id"]
    await driver.call("DELETE", f"/drafts/{draft}")
    records = await driver.history(start)
    assert kinds(records) == [{"messagesAdded"}, {"settingsAdded"}, {"messagesDeleted"}]
    assert records[1]["settingsAdded"] == [{"type": "userLabels", "id": label}]


async def test_ids_rise_with_gaps(driver: Driver) -> None:
    start = await driver.cursor()
    for _ in range(9):
        await driver.deliver(mail())
    ids = [int(record["id"]) for record in await driver.history(start)]
    assert ids == sorted(set(ids))
    assert ids[-1] - ids[0] > len(ids)


async def test_mailboxes_have_histories_of_their_own(driver: Driver) -> None:
    start = await driver.cursor(BOB)
    await driver.deliver(mail())
    assert await driver.history(start, BOB) == []


async def test_pages_neither_lose_nor_repeat(driver: Driver) -> None:
    start = await driver.cursor()
    ids = [await driver.deliver(mail()) for _ in range(7)]
    seen, token = [], ""
    while True:
        page = await driver.get("/history", startHistoryId=start, maxResults=3, pageToken=token)
        seen += [record["messagesAdded"][0]["message"]["id"] for record in page["history"]]
        token = page.get("nextPageToken", "")
        if not token:
            break
    assert seen == ids


async def test_reading_goes_on_from_the_last_record_of_a_page(driver: Driver) -> None:
    start = await driver.cursor()
    for _ in range(5):
        await driver.deliver(mail())
    whole = await driver.history(start)
    assert await driver.history(whole[1]["id"]) == whole[2:]
    assert await driver.history(await driver.cursor()) == []


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        pytest.param({"historyTypes": "labelAdded"}, [{"labelsAdded"}], id="one type"),
        pytest.param(
            {"historyTypes": ["labelAdded", "messageAdded"]},
            [{"messagesAdded"}, {"labelsAdded"}],
            id="types repeated",
        ),
        pytest.param(
            {"historyTypes": "labelAdded,messageAdded", "excludeHistoryTypes": "messageAdded"},
            [{"labelsAdded"}],
            id="an exclusion wins",
        ),
        pytest.param(
            {"excludeHistoryTypes": "labelAdded"},
            [{"messagesAdded"}, {"labelsRemoved"}],
            id="an exclusion alone",
        ),
        pytest.param({"labelId": "STARRED"}, [{"labelsAdded", "labelsRemoved"}], id="one label"),
        pytest.param({"labelId": "SPAM"}, [], id="a label that nothing carries"),
    ],
)
async def test_history_is_narrowed(driver: Driver, params: dict[str, Any], expected: list[set[str]]) -> None:
    start = await driver.cursor()
    id_ = await driver.deliver(mail())
    await driver.post(f"/messages/{id_}/modify", {"addLabelIds": ["STARRED"], "removeLabelIds": ["UNREAD"]})
    assert kinds(await driver.history(start, **params)) == expected


@pytest.mark.parametrize(
    "start",
    [
        pytest.param("999999", id="from the future"),
        pytest.param("", id="empty"),
        pytest.param("-1", id="negative"),
        pytest.param("one", id="a word"),
        pytest.param("\u0661", id="in Arabic digits"),
        pytest.param("9" * 40, id="endless"),
    ],
)
async def test_an_invalid_start_is_not_found(driver: Driver, start: str) -> None:
    response = await driver.call("GET", "/history", params={"startHistoryId": start})
    assert response.status_code == 404


async def test_expired_ids_are_not_found_and_new_ones_are(driver: Driver) -> None:
    start = await driver.cursor()
    await driver.deliver(mail())
    last = await driver.cursor()
    fresh = (await driver.control("expire-history", {"mailbox": ANN}))["historyId"]
    for expired in (start, last):
        assert (await driver.call("GET", "/history", params={"startHistoryId": expired})).status_code == 404
    assert await driver.cursor() == fresh
    await driver.deliver(mail())
    assert len(await driver.history(fresh)) == 1


async def test_the_horizon_keeps_the_newest_records() -> None:
    driver = drive(limits=False, history_horizon=2)
    try:
        start = await driver.cursor()
        for _ in range(2):
            await driver.deliver(mail())
        first, _second = await driver.history(start)
        await driver.deliver(mail())
        assert (await driver.call("GET", "/history", params={"startHistoryId": start})).status_code == 404
        assert len(await driver.history(first["id"])) == 2
    finally:
        driver.close()
