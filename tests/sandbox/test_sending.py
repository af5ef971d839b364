"""Sending: the undo window, delivery among the hosted mailboxes, the outbox."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from engine.sandbox.sending import recipients_of, without_bcc
from tests.sandbox.driving import ANN, BOB, Driver, decoded, drive, encoded, mail
from tests.waiting import wait_for


async def send(driver: Driver, raw: bytes, **body: object) -> str:
    answer = await driver.post("/messages/send", {"raw": encoded(raw), **body})
    assert "SCHEDULED" in answer["labelIds"]
    return str(answer["id"])


@pytest.fixture
def slow() -> Iterator[Driver]:
    driver = drive(limits=False, undo_window=3600.0)
    yield driver
    driver.close()


async def test_a_send_passes_through_scheduled_to_sent(driver: Driver) -> None:
    start = await driver.cursor()
    id_ = await send(driver, mail(to="out@else.example"))
    added, moved = await driver.history(start)
    assert added["messagesAdded"][0]["message"]["labelIds"] == ["SCHEDULED"]
    assert moved["labelsAdded"][0]["labelIds"] == ["SENT"]
    assert moved["labelsRemoved"][0]["labelIds"] == ["SCHEDULED"]
    assert await driver.labels(id_) == {"SENT"}


async def test_hosted_recipients_get_the_message(driver: Driver) -> None:
    await send(driver, mail(to=BOB, sender=ANN, message_id="<1@x>"))
    (entry,) = (await driver.look("state", mailbox=BOB))["messages"]
    assert (entry["labels"], entry["messageId"]) == (["INBOX", "UNREAD"], "<1@x>")
    assert (await driver.look("outbox"))["messages"] == []


async def test_everybody_else_is_in_the_outbox(driver: Driver) -> None:
    raw = mail(to=f"{BOB}, Out <OUT@else.example>", sender=ANN, message_id="<1@x>", Cc="more@else.example")
    id_ = await send(driver, raw)
    (entry,) = (await driver.look("outbox"))["messages"]
    assert (entry["mailbox"], entry["id"], entry["from"], entry["messageId"]) == (ANN, id_, ANN, "<1@x>")
    assert entry["to"] == ["out@else.example", "more@else.example"]
    assert decoded(entry["raw"]) == raw
    assert entry["at"] > 0


async def test_nobody_sees_the_blind_copies(driver: Driver) -> None:
    id_ = await send(driver, mail(to=BOB, Bcc="hidden@else.example,\r\n more@else.example", X="1"))
    (theirs,) = (await driver.look("state", mailbox=BOB))["messages"]
    assert b"hidden" not in decoded((await driver.get(f"/messages/{theirs['id']}", BOB, format="raw"))["raw"])
    (left,) = (await driver.look("outbox"))["messages"]
    assert b"hidden" not in decoded(left["raw"])
    assert b"X: 1" in decoded(left["raw"])
    assert left["to"] == ["hidden@else.example", "more@else.example"]
    assert b"hidden" in decoded((await driver.get(f"/messages/{id_}", format="raw"))["raw"])


async def test_aliases_and_groups_receive(driver: Driver) -> None:
    groups = ["team@acme.example"]
    await driver.control(
        "mailboxes", {"mailbox": ANN, "aliases": ["anna@acme.example"], "groupEmails": groups}
    )
    await driver.control("mailboxes", {"mailbox": BOB, "groupEmails": groups})
    await send(driver, mail(to="team@acme.example, anna@acme.example"))
    for mailbox, kept in ((ANN, 2), (BOB, 1)):
        assert len((await driver.look("state", mailbox=mailbox))["messages"]) == kept
    profile = await driver.get("/profile")
    assert profile["aliases"][0]["aliasEmail"] == "anna@acme.example"
    assert profile["groupEmails"] == groups


async def test_an_answer_meets_its_thread_on_both_sides(driver: Driver) -> None:
    first = await driver.deliver(mail(message_id="<1@x>"))
    id_ = await send(driver, mail(to=BOB, message_id="<2@x>", In_Reply_To="<1@x>"))
    assert (await driver.get(f"/messages/{id_}"))["threadId"] == first


async def test_the_copy_carries_the_labels_asked_for(driver: Driver) -> None:
    id_ = await send(driver, mail(to=BOB), labelIds=["STARRED"])
    assert await driver.labels(id_) == {"SENT", "STARRED"}


async def test_a_message_without_an_id_gets_one(driver: Driver) -> None:
    await send(driver, mail(to="out@else.example"))
    assert (await driver.look("outbox"))["messages"][0]["messageId"].endswith("@sandbox.invalid>")


async def test_nothing_leaves_during_the_undo_window(slow: Driver) -> None:
    id_ = await send(slow, mail(to="out@else.example"))
    shown = await slow.get(f"/messages/{id_}", format="minimal")
    assert (shown["labelIds"], shown["userScheduled"]) == (["SCHEDULED"], False)
    assert (await slow.look("outbox"))["messages"] == []


@pytest.mark.parametrize("undo", ["trash", "delete"])
async def test_trashing_or_deleting_the_copy_is_the_undo(undo: str) -> None:
    driver = drive(limits=False, undo_window=0.2)
    try:
        id_ = await send(driver, mail(to="out@else.example"))
        if undo == "trash":
            await driver.post(f"/messages/{id_}/trash")
        else:
            await driver.call("DELETE", f"/messages/{id_}")
        later = await send(driver, mail(to="later@else.example"))
        await wait_for(lambda: _is_sent(driver, later), what="the later message is sent")
        assert [entry["to"] for entry in (await driver.look("outbox"))["messages"]] == [
            ["later@else.example"]
        ]
    finally:
        driver.close()


async def test_a_send_time_is_kept_as_milliseconds(driver: Driver) -> None:
    id_ = await send(driver, mail(to="out@else.example"), sendTime="4102444800")
    shown = await driver.get(f"/messages/{id_}", format="minimal")
    assert (shown["sendTime"], shown["userScheduled"]) == ("4102444800000", True)
    assert (await driver.look("outbox"))["messages"] == []


async def test_a_planned_message_is_sent_at_its_time(driver: Driver) -> None:
    now = time.time()
    driver.sandbox.store.clock = lambda: now
    id_ = await send(driver, mail(to="out@else.example"), sendTime=str(int(now) + 60))
    assert await driver.labels(id_) == {"SCHEDULED"}
    driver.sandbox.store.clock = lambda: now + 60
    driver.sandbox.resume_sending()
    assert await driver.labels(id_) == {"SENT"}
    assert [left["id"] for left in (await driver.look("outbox"))["messages"]] == [id_]


async def test_a_send_time_that_has_passed_is_now(driver: Driver) -> None:
    id_ = await send(driver, mail(to="out@else.example"), sendTime="1")
    assert await driver.labels(id_) == {"SENT"}


async def test_what_was_scheduled_is_sent_after_a_restart(slow: Driver) -> None:
    await send(slow, mail(to="out@else.example"))
    slow.sandbox.store.clock = lambda: 1e11
    slow.sandbox.resume_sending()
    assert len((await slow.look("outbox"))["messages"]) == 1


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param(b"Bcc: a@x\r\nTo: b@x\r\n\r\nBcc: text", b"To: b@x\r\n\r\nBcc: text", id="at the top"),
        pytest.param(b"To: b@x\nbcc : a@x,\n\tc@x\nX: 1\n\n", b"To: b@x\nX: 1\n\n", id="folded, with LF"),
        pytest.param(b"To: b@x\r\nBCC: a@x", b"To: b@x\r\n", id="at the very end"),
        pytest.param(b"To: b@x\r\nX-Bcc: a@x\r\n\r\n", b"To: b@x\r\nX-Bcc: a@x\r\n\r\n", id="another field"),
        pytest.param(b"\r\nBcc: text", b"\r\nBcc: text", id="no header at all"),
    ],
)
def test_bcc_fields_are_taken_out(raw: bytes, expected: bytes) -> None:
    assert without_bcc(raw) == expected


def test_recipients_are_named_once() -> None:
    raw = mail(to="A <a@x.example>, a@X.example", Cc="b@x.example", Bcc="a@x.example, c@x.example")
    assert recipients_of(raw) == ["a@x.example", "b@x.example", "c@x.example"]


async def _is_sent(driver: Driver, id_: str) -> bool:
    return "SENT" in await driver.labels(id_)
