"""A search that trails behind what was written."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sandbox.driving import ANN, BOB, Driver, drive, encoded, mail

LAG_S = 30


class Clock:
    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def driver(clock: Clock) -> Iterator[Driver]:
    """A sandbox whose time is ours."""
    made = drive(limits=False)
    made.sandbox.store.clock = clock
    made.sandbox.store.db.execute("UPDATE tokens SET expires = ?", (clock.now + 1e6,))
    yield made
    made.close()


async def found(driver: Driver, line: str, mailbox: str = ANN, lists: str = "messages") -> list[str]:
    return [entry["id"] for entry in (await driver.get(f"/{lists}", mailbox, q=line)).get(lists, [])]


async def test_a_new_message_is_found_late_and_listed_at_once(driver: Driver, clock: Clock) -> None:
    old = await driver.deliver(mail())
    await driver.control("lag", {"search": LAG_S})
    cursor = await driver.cursor()
    new = await driver.deliver(mail(message_id="<new@partner.example>"))
    assert await found(driver, "rfc822msgid:<new@partner.example>") == []
    assert await found(driver, "subject:hello") == [old]
    listed = [entry["id"] for entry in (await driver.get("/messages"))["messages"]]
    assert listed == [new, old]
    assert len(await driver.history(cursor)) == 1
    clock.now += LAG_S
    assert await found(driver, "rfc822msgid:<new@partner.example>") == [new]


async def test_a_sent_message_is_found_late(driver: Driver, clock: Clock) -> None:
    await driver.control("lag", {"search": LAG_S})
    raw = mail(to="out@else.example", message_id="<ours@acme.example>")
    sent = await driver.post("/messages/send", {"raw": encoded(raw)})
    assert await found(driver, "rfc822msgid:<ours@acme.example>") == []
    assert [entry["id"] for entry in (await driver.get("/messages", labelIds="SENT"))["messages"]] == [
        sent["id"]
    ]
    clock.now += LAG_S
    assert await found(driver, "rfc822msgid:<ours@acme.example>") == [sent["id"]]


async def test_a_draft_is_found_late(driver: Driver, clock: Clock) -> None:
    await driver.control("lag", {"search": LAG_S})
    draft = await driver.post("/drafts", {"message": {"raw": encoded(mail())}})
    assert await found(driver, "subject:hello", lists="drafts") == []
    assert len((await driver.get("/drafts"))["drafts"]) == 1
    clock.now += LAG_S
    assert await found(driver, "subject:hello", lists="drafts") == [draft["id"]]


async def test_a_thread_is_found_late(driver: Driver, clock: Clock) -> None:
    await driver.control("lag", {"search": LAG_S})
    id_ = await driver.deliver(mail())
    assert await found(driver, "subject:hello", lists="threads") == []
    assert [entry["id"] for entry in (await driver.get("/threads"))["threads"]] == [id_]
    clock.now += LAG_S
    assert await found(driver, "subject:hello", lists="threads") == [id_]


async def test_labels_are_searched_as_they_were(driver: Driver, clock: Clock) -> None:
    id_ = await driver.deliver(mail())
    await driver.control("lag", {"search": LAG_S})
    change = {"addLabelIds": ["STARRED"], "removeLabelIds": ["UNREAD"]}
    await driver.post(f"/messages/{id_}/modify", change)
    clock.now += LAG_S / 2
    await driver.post(f"/messages/{id_}/modify", {"addLabelIds": ["IMPORTANT"]})
    lines = ("is:unread", "is:starred", "label:important")
    assert [len(await found(driver, line)) for line in lines] == [1, 0, 0]
    clock.now += LAG_S / 2
    assert [len(await found(driver, line)) for line in lines] == [0, 1, 0]
    clock.now += LAG_S / 2
    assert [len(await found(driver, line)) for line in lines] == [0, 1, 1]


async def test_mailboxes_lag_each_for_itself(driver: Driver) -> None:
    await driver.control("lag", {"search": LAG_S})
    await driver.deliver(mail(), BOB)
    assert await found(driver, "subject:hello", BOB) == []
    assert await found(driver, "subject:hello", ANN) == []


async def test_a_refused_call_leaves_nothing_to_lag(driver: Driver) -> None:
    id_ = await driver.deliver(mail())
    await driver.control("lag", {"search": LAG_S})
    body = {"ids": [id_, "nothing"], "addLabelIds": ["STARRED"], "removeLabelIds": ["UNREAD"]}
    assert (await driver.call("POST", "/messages/batchModify", json=body)).status_code == 400
    assert await found(driver, "is:unread") == [id_]
    assert driver.sandbox.store.lag.before(driver.sandbox.store.clock(), 1) == {}


@pytest.mark.parametrize("end", ["lag", "reset"])
async def test_the_lag_can_be_ended(driver: Driver, end: str) -> None:
    await driver.control("lag", {"search": LAG_S})
    await driver.deliver(mail())
    await driver.control(end, {"search": 0} if end == "lag" else None)
    assert driver.sandbox.store.lag.before(driver.sandbox.store.clock(), 1) == {}
    assert driver.sandbox.store.lag.seconds == 0


@pytest.mark.parametrize("seconds", [None, "3", True, -1, 1e9])
async def test_a_wrong_lag_is_refused(driver: Driver, seconds: object) -> None:
    assert (await driver.http.post("/_sandbox/lag", json={"search": seconds})).status_code == 400
