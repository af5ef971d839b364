"""Whatever is done to a mailbox: its history retells its labels, and pages show everything once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sandbox.driving import ANN, Driver, drive, encoded, mail

USABLE = ("INBOX", "UNREAD", "STARRED", "IMPORTANT", "TRASH", "SPAM")
label_sets = st.lists(st.sampled_from(USABLE), unique=True, max_size=3)
which = st.integers(0, 5)
deeds = st.one_of(
    st.tuples(st.just("deliver"), label_sets),
    st.tuples(st.just("insert"), label_sets),
    st.tuples(st.just("send")),
    st.tuples(st.just("draft")),
    st.tuples(st.just("modify"), which, label_sets, label_sets),
    st.tuples(st.just("batch"), st.lists(which, max_size=4), label_sets, label_sets),
    st.tuples(st.just("trash"), which),
    st.tuples(st.just("untrash"), which),
    st.tuples(st.just("delete"), which),
)

Deed = tuple[Any, ...]
Labels = dict[str, frozenset[str]]


async def do(driver: Driver, deed: Deed, ids: list[str]) -> None:
    """Do one thing to the mailbox; `ids` are the messages made so far, some of them gone."""
    match deed:
        case ("deliver", labels):
            ids.append(await driver.deliver(mail(), labels=",".join(labels)))
        case ("insert", labels):
            ids.append((await driver.post("/messages", {"raw": encoded(mail()), "labelIds": labels}))["id"])
        case ("send",):
            ids.append((await driver.post("/messages/send", {"raw": encoded(mail(to=ANN))}))["id"])
        case ("draft",):
            ids.append((await driver.post("/drafts", {"message": {"raw": encoded(mail())}}))["id"])
        case ("modify", at, add, remove):
            body = {"addLabelIds": add, "removeLabelIds": remove}
            await driver.call("POST", f"/messages/{_pick(ids, at)}/modify", json=body)
        case ("batch", chosen, add, remove):
            body = {"addLabelIds": add, "removeLabelIds": remove, "ids": [_pick(ids, at) for at in chosen]}
            await driver.call("POST", "/messages/batchModify", json=body)
        case ("delete", at):
            await driver.call("DELETE", f"/messages/{_pick(ids, at)}")
        case (kind, at):
            await driver.call("POST", f"/messages/{_pick(ids, at)}/{kind}")


def _pick(ids: Sequence[str], at: int) -> str:
    return ids[at % len(ids)] if ids else "none"


def retold(records: Sequence[dict[str, Any]]) -> Labels:
    """Replay history: the labels of every message that is left."""
    labels: Labels = {}
    for record in records:
        for key in ("messagesAdded", "messagesImported", "messagesImportedNew"):
            for change in record.get(key, ()):
                message = change["message"]
                assert message["id"] not in labels
                labels[message["id"]] = frozenset(message["labelIds"])
        for change in record.get("messagesDeleted", ()):
            assert labels.pop(change["message"]["id"]) == frozenset(change["message"]["labelIds"])
        touched = set()
        for key in ("labelsAdded", "labelsRemoved"):
            for change in record.get(key, ()):
                id_, moved = change["message"]["id"], frozenset(change["labelIds"])
                assert moved
                assert moved.isdisjoint(labels[id_]) if key == "labelsAdded" else moved <= labels[id_]
                labels[id_] = labels[id_] | moved if key == "labelsAdded" else labels[id_] - moved
                touched.add((id_, frozenset(change["message"]["labelIds"])))
        for id_, shown in touched:
            assert labels[id_] == shown
    return labels


@given(st.lists(deeds, max_size=12), st.integers(1, 4))
@settings(max_examples=50, deadline=None)
def test_history_retells_the_mailbox(done: list[Deed], page: int) -> None:
    asyncio.run(_history_retells(done, page))


async def _history_retells(done: list[Deed], page: int) -> None:
    driver = drive(limits=False)
    try:
        start = await driver.cursor()
        ids: list[str] = []
        for deed in done:
            await do(driver, deed, ids)
        records = await everything(driver, "/history", "history", startHistoryId=start, maxResults=page)
        numbers = [int(record["id"]) for record in records]
        assert numbers == sorted(set(numbers))
        state = (await driver.look("state", mailbox=ANN))["messages"]
        assert retold(records) == {entry["id"]: frozenset(entry["labels"]) for entry in state}
        await _listings_agree(driver, state, page)
        await _counts_agree(driver, state)
    finally:
        driver.close()


async def _listings_agree(driver: Driver, state: list[dict[str, Any]], page: int) -> None:
    """Every way of listing, paged, shows what the state says, each message once, newest first."""
    newest_first = state[::-1]
    for labels, hidden in (
        (["INBOX"], False),
        (["UNREAD", "INBOX"], False),
        (["STARRED"], True),
        ([], True),
        ([], False),
    ):
        listed = await everything(
            driver,
            "/messages",
            "messages",
            labelIds=labels,
            includeSpamTrash=str(hidden).lower(),
            maxResults=page,
        )
        assert [entry["id"] for entry in listed] == [
            entry["id"]
            for entry in newest_first
            if set(labels) <= set(entry["labels"])
            and (hidden or not {"SPAM", "TRASH"} & set(entry["labels"]))
        ]


async def _counts_agree(driver: Driver, state: list[dict[str, Any]]) -> None:
    for label in (await driver.get("/labels"))["labels"]:
        carriers = [entry for entry in state if label["name"] in entry["labels"]]
        assert label["messagesTotal"] == len(carriers)
        assert label["messagesUnread"] == sum("UNREAD" in entry["labels"] for entry in carriers)
        assert label["threadsTotal"] == len({entry["threadId"] for entry in carriers})


async def everything(driver: Driver, path: str, key: str, **params: Any) -> list[dict[str, Any]]:
    """All pages of a list, one after another."""
    found: list[dict[str, Any]] = []
    token = ""
    while True:
        answer = await driver.get(path, **params, pageToken=token)
        assert len(answer[key]) <= params["maxResults"]
        found += answer[key]
        token = answer.get("nextPageToken", "")
        if not token:
            return found


@given(st.integers(1, 9), st.integers(0, 4), st.integers(0, 4))
@settings(max_examples=25, deadline=None)
def test_arrivals_between_pages_neither_hide_nor_repeat_older_mail(page: int, fresh: int, gone: int) -> None:
    asyncio.run(_paging_holds(page, fresh, gone))


async def _paging_holds(page: int, fresh: int, gone: int) -> None:
    """What was there before the first page and stays is shown exactly once."""
    driver = drive(limits=False)
    try:
        ids = [await driver.deliver(mail()) for _ in range(12)]
        first = await driver.get("/messages", maxResults=page)
        for _ in range(fresh):
            await driver.deliver(mail())
        for id_ in ids[:gone]:
            await driver.call("DELETE", f"/messages/{id_}")
        listed = first["messages"]
        if token := first.get("nextPageToken"):
            rest = await driver.get("/messages", maxResults=500, pageToken=token)
            listed = listed + rest["messages"]
        seen = [entry["id"] for entry in listed]
        assert [id_ for id_ in seen if id_ in ids[gone:]] == ids[gone:][::-1]
        assert len(seen) == len(set(seen))
    finally:
        driver.close()


@given(st.binary(max_size=300))
@settings(max_examples=50, deadline=None)
def test_any_bytes_can_be_delivered_and_shown(raw: bytes) -> None:
    asyncio.run(_any_bytes(raw))


async def _any_bytes(raw: bytes) -> None:
    driver = drive(limits=False)
    try:
        id_ = await driver.deliver(raw)
        for shape in ("full", "metadata", "minimal", "raw"):
            await driver.get(f"/messages/{id_}", format=shape)
        await driver.get("/messages", q="word from:a@b.example")
    finally:
        driver.close()
