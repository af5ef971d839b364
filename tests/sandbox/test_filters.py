"""Filters: what they match, and what they do to mail that arrives."""

from __future__ import annotations

from typing import Any

import pytest

from engine.sandbox.filters import MOST
from tests.sandbox.driving import ANN, BOB, Driver, decoded, encoded, mail

STAR = {"addLabelIds": ["STARRED"]}
FILE = "Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\n\r\nx\r\n"
WITH_FILE = mail(body=f"--b\r\n{FILE}--b--\r\n", Content_Type="multipart/mixed; boundary=b")


async def add(
    driver: Driver, criteria: dict[str, Any], action: dict[str, Any] = STAR, mailbox: str = ANN
) -> str:
    body = {"criteria": criteria, "action": action}
    return str((await driver.post("/settings/filters", body, mailbox))["id"])


async def test_filters_are_listed_shown_and_deleted(driver: Driver) -> None:
    start = await driver.cursor()
    criteria = {"subject": "order", "hasAttachment": False, "size": 7, "sizeComparison": "unspecifield"}
    first = await add(driver, criteria)
    second = await add(driver, {"from": "zoe"}, {"removeLabelIds": ["INBOX"], "forward": "out@else.example"})
    listed = (await driver.get("/settings/filters"))["filter"]
    assert [one["id"] for one in listed] == [first, second]
    assert listed[0] == await driver.get(f"/settings/filters/{first}")
    assert listed[0] == {"id": first, "criteria": criteria, "action": STAR}
    assert (await driver.call("DELETE", f"/settings/filters/{first}")).status_code == 204
    assert [one["id"] for one in (await driver.get("/settings/filters"))["filter"]] == [second]
    records = await driver.history(start)
    assert [record.get("settingsAdded") for record in records[:2]] == [
        [{"type": "filter", "id": first}],
        [{"type": "filter", "id": second}],
    ]
    assert records[2]["settingsDeleted"] == [{"type": "filter", "id": first}]


@pytest.mark.parametrize(
    ("criteria", "raw", "matched"),
    [
        pytest.param({"from": "zoe@partner.example"}, mail(), True, id="the sender's address"),
        pytest.param({"from": "zoe p"}, mail(sender="Zoe P <z@x.example>"), True, id="the sender's name"),
        pytest.param({"from": "ann"}, mail(), False, id="somebody else"),
        pytest.param({"to": "ann"}, mail(), True, id="a local part"),
        pytest.param({"to": "ANN@"}, mail(), True, id="a local part with its sign"),
        pytest.param({"to": "bob@acme.example"}, mail(Cc="Bob <BOB@acme.example>"), True, id="a copy"),
        pytest.param({"to": "bob"}, mail(), False, id="no recipient"),
        pytest.param({"subject": "ORDER 7"}, mail("Your order 7 is here"), True, id="a phrase in any case"),
        pytest.param({"subject": "order 7"}, mail("7 order"), False, id="words in another order"),
        pytest.param({"query": "from:zoe is:unread"}, mail(), True, id="a search line"),
        pytest.param({"query": "good morning"}, mail(), True, id="words of the text"),
        pytest.param({"negatedQuery": "is:unread"}, mail(), False, id="a search line that must not hold"),
        pytest.param({"negatedQuery": "subject:bill"}, mail(), True, id="one that does not hold"),
        pytest.param({"hasAttachment": True}, WITH_FILE, True, id="an attachment"),
        pytest.param({"hasAttachment": True}, mail(), False, id="no attachment"),
        pytest.param({"size": 50, "sizeComparison": "larger"}, mail(), True, id="more than a size"),
        pytest.param({"size": 50, "sizeComparison": "smaller"}, mail(), False, id="less than a size"),
        pytest.param({"from": "zoe", "subject": "bill"}, mail(), False, id="one criterion of two"),
    ],
)
async def test_a_filter_matches(driver: Driver, criteria: dict[str, Any], raw: bytes, matched: bool) -> None:
    await add(driver, criteria)
    assert ("STARRED" in await driver.labels(await driver.deliver(raw))) is matched


async def test_all_filters_that_match_act_before_the_message_is_seen(driver: Driver) -> None:
    label = (await driver.post("/labels", {"name": "orders", "parentId": ""}))["id"]
    await add(driver, {"from": "zoe"}, {"addLabelIds": [label], "removeLabelIds": ["INBOX"]})
    await add(driver, {"query": "in:inbox"}, STAR)
    start = await driver.cursor()
    id_ = await driver.deliver(mail())
    (record,) = await driver.history(start)
    assert set(record["messagesAdded"][0]["message"]["labelIds"]) == {label, "UNREAD", "STARRED"}
    assert await driver.labels(id_) == {label, "UNREAD", "STARRED"}


async def test_filters_act_on_mail_between_mailboxes(driver: Driver) -> None:
    await add(driver, {"from": "ann"}, mailbox=BOB)
    await driver.post("/messages/send", {"raw": encoded(mail(to=BOB, sender=ANN))})
    (entry,) = (await driver.look("state", mailbox=BOB))["messages"]
    assert "STARRED" in entry["labels"]


async def test_imports_inserts_and_the_past_are_left_alone(driver: Driver) -> None:
    old = await driver.deliver(mail())
    await add(driver, {"from": "zoe"})
    inserted = (await driver.post("/messages", {"raw": encoded(mail()), "labelIds": ["INBOX"]}))["id"]
    imported = await driver.deliver(mail(), imported="new")
    for id_ in (old, inserted, imported):
        assert "STARRED" not in await driver.labels(id_)


async def test_a_label_that_is_gone_is_not_put_on(driver: Driver) -> None:
    label = (await driver.post("/labels", {"name": "orders", "parentId": ""}))["id"]
    await add(driver, {"from": "zoe"}, {"addLabelIds": [label, "STARRED"]})
    await driver.call("DELETE", f"/labels/{label}")
    assert await driver.labels(await driver.deliver(mail())) == {"INBOX", "UNREAD", "STARRED"}


async def test_a_filter_forwards_the_message_as_it_came(driver: Driver) -> None:
    await add(driver, {"from": "zoe"}, {"forward": "out@else.example"})
    await add(driver, {"subject": "hello"}, {"forward": BOB})
    await driver.deliver(mail())
    (left,) = (await driver.look("outbox"))["messages"]
    assert (left["to"], decoded(left["raw"]), left["mailbox"]) == (["out@else.example"], mail(), ANN)
    assert len((await driver.look("state", mailbox=BOB))["messages"]) == 1


async def test_mailboxes_that_forward_to_each_other_come_to_an_end(driver: Driver) -> None:
    await add(driver, {"from": "zoe"}, {"forward": BOB})
    await add(driver, {"from": "zoe"}, {"forward": ANN}, BOB)
    await driver.deliver(mail())
    kept = [len((await driver.look("state", mailbox=box))["messages"]) for box in (ANN, BOB)]
    assert kept == [2, 1]


@pytest.mark.parametrize(
    ("criteria", "action"),
    [
        pytest.param({}, STAR, id="no criterion"),
        pytest.param({"hasAttachment": False}, STAR, id="a criterion that says nothing"),
        pytest.param({"from": ""}, STAR, id="an empty criterion"),
        pytest.param({"from": 7}, STAR, id="a criterion that is no text"),
        pytest.param({"from": "x" * 1001}, STAR, id="a criterion too long"),
        pytest.param({"subject": "<b>"}, STAR, id="a subject that is not safe in HTML"),
        pytest.param({"query": "a 'b'"}, STAR, id="a query with quotes"),
        pytest.param({"query": "("}, STAR, id="a query that cannot be read"),
        pytest.param({"negatedQuery": "is:blue"}, STAR, id="a negated query that cannot be read"),
        pytest.param({"hasAttachment": "yes"}, STAR, id="hasAttachment that is no boolean"),
        pytest.param({"sizeComparison": "larger"}, STAR, id="a comparison without a size"),
        pytest.param({"size": 1, "sizeComparison": "about"}, STAR, id="an unknown comparison"),
        pytest.param({"size": True, "sizeComparison": "larger"}, STAR, id="a size that is no number"),
        pytest.param({"size": -1, "sizeComparison": "larger"}, STAR, id="a size below nothing"),
        pytest.param({"size": 10**30, "sizeComparison": "larger"}, STAR, id="a size beyond everything"),
        pytest.param({"size": 5}, STAR, id="a size without a comparison"),
        pytest.param({"from": "zoe"}, {}, id="nothing to do"),
        pytest.param({"from": "zoe"}, {"addLabelIds": ["Label_9"]}, id="an unknown label"),
        pytest.param({"from": "zoe"}, {"addLabelIds": ["SENT"]}, id="a label of the service"),
        pytest.param({"from": "zoe"}, {"addLabelIds": "STARRED"}, id="labels as text"),
        pytest.param({"from": "zoe"}, {"forward": "nobody"}, id="a forward to no address"),
        pytest.param({"from": "zoe"}, {"forward": "A <a@x.example>"}, id="a forward with a name"),
        pytest.param("from:zoe", STAR, id="criteria as text"),
        pytest.param({"from": "zoe"}, "star", id="an action as text"),
    ],
)
async def test_a_wrong_filter_is_refused(driver: Driver, criteria: object, action: object) -> None:
    response = await driver.call("POST", "/settings/filters", json={"criteria": criteria, "action": action})
    assert response.status_code == 400
    assert (await driver.get("/settings/filters"))["filter"] == []


async def test_a_mailbox_holds_only_so_many_filters(driver: Driver) -> None:
    for _ in range(MOST):
        await add(driver, {"from": "zoe"})
    body = {"criteria": {"from": "zoe"}, "action": STAR}
    assert (await driver.call("POST", "/settings/filters", json=body)).status_code == 400
