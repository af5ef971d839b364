"""Threads: how they are listed, shown and changed as one."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.sandbox.driving import ANN, BOB, Driver, encoded, mail


async def talk(driver: Driver, length: int = 3, **options: str) -> list[str]:
    """Deliver a message and answers to it; the first id is the thread's."""
    first = await driver.deliver(mail("Order 7", message_id="<1@x>"), **options)
    return [
        first,
        *[
            await driver.deliver(mail("Re: Order 7", In_Reply_To="<1@x>", message_id=f"<{n}@x>"), **options)
            for n in range(2, length + 1)
        ],
    ]


async def listed(driver: Driver, **params: Any) -> list[str]:
    return [thread["id"] for thread in (await driver.get("/threads", **params))["threads"]]


async def test_a_thread_is_listed_once_at_its_newest_message(driver: Driver) -> None:
    thread = (await talk(driver, 2))[0]
    other = await driver.deliver(mail())
    assert await listed(driver) == [other, thread]
    await driver.deliver(mail(In_Reply_To="<1@x>"))
    assert await listed(driver) == [thread, other]


async def test_an_entry_names_and_previews_the_thread(driver: Driver) -> None:
    first = await driver.deliver(mail("Order 7", message_id="<1@x>"))
    await driver.deliver(mail("AW: Order 7", "The newest text.", In_Reply_To="<1@x>"))
    (entry,) = (await driver.get("/threads"))["threads"]
    assert (entry["id"], entry["threadName"], entry["status"]) == (first, "Order 7", "normal")
    assert (entry["snippet"], entry["historyId"]) == ("The newest text.", await driver.cursor())


@pytest.mark.parametrize(
    "subject",
    [
        pytest.param("Re: Order 7", id="an answer"),
        pytest.param("AW: WG: re:Order 7", id="answers in German"),
        pytest.param("=?utf-8?q?Fwd:_Order_7?=", id="an encoded forward"),
    ],
)
async def test_a_thread_is_named_without_the_marks_of_answers(driver: Driver, subject: str) -> None:
    id_ = await driver.deliver(mail(subject))
    assert (await driver.get(f"/threads/{id_}"))["threadName"] == "Order 7"


async def test_one_message_must_answer_the_whole_query(driver: Driver) -> None:
    first, second, _ = await talk(driver)
    await driver.post(f"/messages/{first}/modify", {"addLabelIds": ["STARRED"]})
    await driver.post(f"/messages/{second}/modify", {"addLabelIds": ["IMPORTANT"]})
    assert await listed(driver, labelIds="STARRED") == [first]
    assert await listed(driver, labelIds=["STARRED", "IMPORTANT"]) == []
    assert await listed(driver, q="is:starred subject:order") == [first]
    assert await listed(driver, q="is:starred subject:nothing") == []


async def test_threads_in_the_trash_are_listed_on_demand(driver: Driver) -> None:
    first, second, third = await talk(driver)
    for id_ in (second, third):
        await driver.post(f"/messages/{id_}/trash")
    assert await listed(driver) == [first]
    await driver.post(f"/messages/{first}/trash")
    assert await listed(driver) == []
    assert await listed(driver, includeSpamTrash="true") == [first]
    assert await listed(driver, labelIds="TRASH") == [first]


async def test_pages_show_each_thread_once_while_mail_arrives(driver: Driver) -> None:
    threads = []
    for n in range(7):
        threads.append(await driver.deliver(mail(message_id=f"<{n}@t>")))
        await driver.deliver(mail(References=f"<{n}@t>"))
    page = await driver.get("/threads", maxResults=3)
    seen = [thread["id"] for thread in page["threads"]]
    await driver.deliver(mail(References="<0@t>"))
    await driver.deliver(mail())
    while token := page.get("nextPageToken"):
        page = await driver.get("/threads", maxResults=3, pageToken=token)
        seen += [thread["id"] for thread in page["threads"]]
    assert seen == threads[::-1]


async def test_a_thread_shows_its_messages_oldest_first_in_pages(driver: Driver) -> None:
    ids = await talk(driver, 5)
    first = await driver.get(f"/threads/{ids[0]}", maxResults=3, format="minimal")
    rest = await driver.get(f"/threads/{ids[0]}", maxResults=3, pageToken=first["nextPageToken"])
    assert [message["id"] for message in first["messages"] + rest["messages"]] == ids
    assert "nextPageToken" not in rest
    assert "payload" not in first["messages"][0]
    assert "payload" in rest["messages"][0]


async def test_metadata_of_a_thread_is_narrowed(driver: Driver) -> None:
    ids = await talk(driver, 2)
    shown = await driver.get(f"/threads/{ids[0]}", format="metadata", metadataHeaders=["From"])
    assert [len(message["payload"]["headers"]) for message in shown["messages"]] == [1, 1]


async def test_a_thread_shows_no_raw_messages(driver: Driver) -> None:
    id_ = await driver.deliver(mail())
    response = await driver.call("GET", f"/threads/{id_}", params={"format": "raw"})
    assert response.status_code == 400


async def test_labels_are_changed_on_every_message_with_a_record_each(driver: Driver) -> None:
    ids = await talk(driver)
    await driver.post(f"/messages/{ids[1]}/modify", {"addLabelIds": ["STARRED"]})
    start = await driver.cursor()
    answer = await driver.post(f"/threads/{ids[0]}/modify", {"addLabelIds": ["STARRED"]})
    assert (answer["id"], [message["id"] for message in answer["messages"]]) == (ids[0], ids)
    assert all("STARRED" in message["labelIds"] for message in answer["messages"])
    records = await driver.history(start)
    assert [record["labelsAdded"][0]["message"]["id"] for record in records] == [ids[0], ids[2]]


async def test_a_thread_is_trashed_and_restored(driver: Driver) -> None:
    ids = await talk(driver, 2)
    trashed = await driver.post(f"/threads/{ids[0]}/trash")
    assert [set(message["labelIds"]) for message in trashed["messages"]] == [{"TRASH", "UNREAD"}] * 2
    restored = await driver.post(f"/threads/{ids[0]}/untrash")
    assert [message["labelIds"] for message in restored["messages"]] == [["UNREAD"]] * 2


async def test_a_deleted_thread_is_gone_with_its_messages(driver: Driver) -> None:
    ids = await talk(driver)
    start = await driver.cursor()
    assert (await driver.call("DELETE", f"/threads/{ids[0]}")).status_code == 204
    assert (await driver.call("GET", f"/threads/{ids[0]}")).status_code == 404
    assert [next(iter(set(record) - {"id"})) for record in await driver.history(start)] == [
        "messagesDeleted"
    ] * 3
    profile = await driver.get("/profile")
    assert (profile["messagesTotal"], profile["threadsTotal"]) == (0, 0)


async def test_a_thread_outlives_its_first_message(driver: Driver) -> None:
    ids = await talk(driver, 2)
    await driver.call("DELETE", f"/messages/{ids[0]}")
    shown = await driver.get(f"/threads/{ids[0]}")
    assert ([message["id"] for message in shown["messages"]], shown["threadName"]) == ([ids[1]], "Order 7")
    assert shown["historyId"] == await driver.cursor()


async def test_a_muted_thread_tells_so(driver: Driver) -> None:
    id_ = await driver.deliver(mail())
    await driver.control("threads", {"mailbox": ANN, "thread": id_, "status": "ignored"})
    assert (await driver.get(f"/threads/{id_}"))["status"] == "ignored"
    assert (await driver.get("/threads"))["threads"][0]["status"] == "ignored"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param({"mailbox": ANN, "thread": "x", "status": "ignored"}, 404, id="an unknown thread"),
        pytest.param({"mailbox": ANN, "thread": "x", "status": "loud"}, 400, id="an unknown status"),
    ],
)
async def test_what_cannot_be_muted_is_refused(driver: Driver, body: dict[str, str], status: int) -> None:
    assert (await driver.http.post("/_sandbox/threads", json=body)).status_code == status


async def test_the_threads_of_another_mailbox_are_not_found(driver: Driver) -> None:
    theirs = await driver.deliver(mail(), BOB)
    assert (await driver.call("GET", f"/threads/{theirs}")).status_code == 404


async def test_a_trashed_thread_takes_what_is_scheduled_back(driver: Driver) -> None:
    now = time.time()
    body = {"raw": encoded(mail(to="out@else.example")), "sendTime": str(int(now) + 60)}
    id_ = (await driver.post("/messages/send", body))["id"]
    await driver.post(f"/threads/{id_}/trash")
    driver.sandbox.store.clock = lambda: now + 120
    driver.sandbox.resume_sending()
    assert (await driver.look("outbox"))["messages"] == []
    await driver.post(f"/threads/{id_}/untrash")
    assert await driver.labels(id_) == {"SENT"}
    assert len((await driver.look("outbox"))["messages"]) == 1
