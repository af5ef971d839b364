"""Whatever is done to a mailbox: its history retells its labels, and pages show everything once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sandbox.deeds import BEGINNING, DEEDS, Deed, Doing, do
from tests.sandbox.driving import ANN, BOB, Driver, drive, mail

Labels = dict[str, frozenset[str]]
State = list[dict[str, Any]]


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
        for change in record.get("messagesUpdated", ()):
            assert labels[change["message"]["id"]] == frozenset(change["message"]["labelIds"])
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


def settled(records: Sequence[dict[str, Any]]) -> list[tuple[str, ...]]:
    """What history tells of settings and delegates, in its order."""
    return [
        (change, one["type"], one.get("id", "")) if isinstance(one, dict) else (change, one)
        for record in records
        for change, told in record.items()
        if change.startswith(("settings", "delegat"))
        for one in told
    ]


@given(st.lists(DEEDS, min_size=3, max_size=20), st.integers(1, 4))
@settings(max_examples=30, deadline=None)
def test_history_retells_the_mailbox(done: list[Deed], page: int) -> None:
    asyncio.run(_history_retells(done, page))


async def _history_retells(done: list[Deed], page: int) -> None:
    driver = drive(limits=False)
    try:
        doing, start, theirs = Doing(driver), await driver.cursor(), await driver.cursor(BOB)
        for deed in BEGINNING:
            await do(doing, deed)
        middle = await driver.cursor()
        for deed in done:
            await do(doing, deed)
        records = await everything(driver, "/history", "history", startHistoryId=start, maxResults=page)
        numbers = [int(record["id"]) for record in records]
        assert numbers == sorted(set(numbers))
        assert await driver.history(middle, maxResults=500) == [
            record for record in records if int(record["id"]) > int(middle)
        ]
        assert settled(records) == doing.settled
        assert settled(await driver.history(theirs, BOB, maxResults=500)) == [
            (change.replace("delegates", "delegators"), ANN)
            for change, *rest in doing.settled
            if rest == [BOB]
        ]
        await _everything_agrees(driver, await doing.labels(), records, page)
    finally:
        driver.close()


async def _everything_agrees(
    driver: Driver, ids: dict[str, str], records: Sequence[dict[str, Any]], page: int
) -> None:
    state: State = (await driver.look("state", mailbox=ANN))["messages"]
    for entry in state:
        entry["ids"] = {ids[name] for name in entry["labels"]}
    assert retold(records) == {entry["id"]: frozenset(entry["ids"]) for entry in state}
    await _listings_agree(driver, state, page)
    await _threads_agree(driver, state, page)
    await _counts_agree(driver, state)
    drafts = await everything(driver, "/drafts", "drafts", maxResults=page, includeSpamTrash="true")
    assert [draft["id"] for draft in drafts] == [
        entry["id"] for entry in state[::-1] if "DRAFT" in entry["ids"]
    ]
    filters = [one["id"] for one in (await driver.get("/settings/filters"))["filter"]]
    assert filters == [told[2] for told in settled(records) if told[1] == "filter"]


NARROWED: tuple[tuple[list[str], bool], ...] = (
    (["INBOX"], False),
    (["UNREAD", "INBOX"], False),
    (["STARRED"], True),
    ([], True),
    ([], False),
)
"""Label ids that are asked for, and whether spam and trash are shown."""


def _answers(entry: dict[str, Any], labels: Sequence[str], hidden: bool) -> bool:
    return set(labels) <= entry["ids"] and (hidden or not {"SPAM", "TRASH"} & entry["ids"])


async def _listings_agree(driver: Driver, state: State, page: int) -> None:
    """Every way of listing, paged, shows what the state says, each message once, newest first."""
    for labels, hidden in NARROWED:
        params = {"labelIds": labels, "includeSpamTrash": str(hidden).lower(), "maxResults": page}
        listed = await everything(driver, "/messages", "messages", **params)
        wanted = [entry for entry in state[::-1] if _answers(entry, labels, hidden)]
        assert [entry["id"] for entry in listed] == [entry["id"] for entry in wanted]
        listed = await everything(driver, "/threads", "threads", **params)
        assert [entry["id"] for entry in listed] == list(dict.fromkeys(one["threadId"] for one in wanted))


async def _threads_agree(driver: Driver, state: State, page: int) -> None:
    """Every thread shows its messages once, oldest first, and the newest change of them."""
    for thread in {entry["threadId"] for entry in state}:
        path = f"/threads/{thread}"
        shown = await everything(driver, path, "messages", format="minimal", maxResults=page)
        assert [one["id"] for one in shown] == [entry["id"] for entry in state if entry["threadId"] == thread]
        newest = int((await driver.get(path, maxResults=1))["historyId"])
        assert newest >= max(int(one["historyId"]) for one in shown)


async def _counts_agree(driver: Driver, state: State) -> None:
    for label in (await driver.get("/labels"))["labels"]:
        carriers = [entry for entry in state if label["id"] in entry["ids"]]
        unread = [entry for entry in carriers if "UNREAD" in entry["ids"]]
        assert (label["messagesTotal"], label["messagesUnread"]) == (len(carriers), len(unread))
        assert label["threadsTotal"] == len({entry["threadId"] for entry in carriers})
        assert label["threadsUnread"] == len({entry["threadId"] for entry in unread})
    profile = await driver.get("/profile")
    assert profile["messagesTotal"] == len(state)
    assert profile["threadsTotal"] == len({entry["threadId"] for entry in state})


async def everything(driver: Driver, path: str, key: str, **params: Any) -> list[dict[str, Any]]:
    """All pages of a list, one after another; no page is told twice."""
    found: list[dict[str, Any]] = []
    token, told = "", set[str]()
    while token not in told:
        told.add(token)
        answer = await driver.get(path, **params, pageToken=token)
        assert len(answer[key]) <= params["maxResults"]
        assert answer.get("resultSizeEstimate", len(answer[key])) == len(answer[key])
        found += answer[key]
        token = answer.get("nextPageToken", "")
        if not token:
            return found
    raise AssertionError(f"the pages of {path} come back to one that was read")


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
