"""Messages: what is shown of them, how they are listed, and how their labels change."""

from __future__ import annotations

import pytest

from engine.sandbox.representation import INLINE
from tests.sandbox.driving import ANN, BOB, Driver, decoded, encoded, mail

MIXED = b"""From: zoe@partner.example
To: ann@acme.example
Subject: =?utf-8?q?J=C3=BCrgen?=
X-Long: one
 two
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: multipart/alternative; boundary=c

--c
Content-Type: text/plain; charset=utf-8

Plain text.
--c
Content-Type: text/html

<p>Rich text.</p>
--c--
--b
Content-Type: application/pdf
Content-Disposition: attachment; filename=order.pdf
Content-Transfer-Encoding: base64

JVBERi0xLjQK
--b--
""".replace(b"\n", b"\r\n")


async def test_the_tree_shows_every_part(driver: Driver) -> None:
    id_ = await driver.deliver(MIXED)
    payload = (await driver.get(f"/messages/{id_}", format="full"))["payload"]
    assert (payload["partId"], payload["mimeType"], payload["body"]) == ("", "multipart/mixed", {"size": 0})
    alternative, pdf = payload["parts"]
    assert [part["partId"] for part in alternative["parts"]] == ["0.0", "0.1"]
    assert decoded(alternative["parts"][0]["body"]["data"]).strip() == b"Plain text."
    assert (pdf["partId"], pdf["mimeType"], pdf["filename"]) == ("1", "application/pdf", "order.pdf")
    assert pdf["body"] == {"size": 9, "attachmentId": f"{id_}_4"}


async def test_headers_are_raw_and_unfolded(driver: Driver) -> None:
    id_ = await driver.deliver(MIXED)
    headers = (await driver.get(f"/messages/{id_}"))["payload"]["headers"]
    assert {"name": "Subject", "value": "=?utf-8?q?J=C3=BCrgen?="} in headers
    assert {"name": "X-Long", "value": "one two"} in headers


async def test_an_attachment_is_fetched_by_its_id(driver: Driver) -> None:
    id_ = await driver.deliver(MIXED)
    answer = await driver.get(f"/messages/{id_}/attachments/{id_}_4")
    assert (answer["size"], decoded(answer["data"])) == (9, b"%PDF-1.4\n")


async def test_a_container_is_no_attachment(driver: Driver) -> None:
    id_ = await driver.deliver(MIXED)
    assert (await driver.call("GET", f"/messages/{id_}/attachments/{id_}_0")).status_code == 404


async def test_the_attachment_of_another_message_is_forbidden(driver: Driver) -> None:
    mine, other = await driver.deliver(MIXED), await driver.deliver(MIXED)
    response = await driver.call("GET", f"/messages/{mine}/attachments/{other}_4")
    assert (response.status_code, response.json()["code"]) == (403, 403)


async def test_a_long_text_body_is_fetched_apart(driver: Driver) -> None:
    id_ = await driver.deliver(mail(body="x" * (INLINE + 1)))
    body = (await driver.get(f"/messages/{id_}"))["payload"]["body"]
    assert body == {"size": INLINE + 1, "attachmentId": f"{id_}_0"}
    answer = await driver.get(f"/messages/{id_}/attachments/{id_}_0")
    assert decoded(answer["data"]) == b"x" * (INLINE + 1)


async def test_raw_gives_the_very_bytes(driver: Driver) -> None:
    id_ = await driver.deliver(MIXED)
    answer = await driver.get(f"/messages/{id_}", format="raw")
    assert decoded(answer["raw"]) == MIXED
    assert "payload" not in answer


async def test_minimal_shows_no_content(driver: Driver) -> None:
    answer = await driver.get(f"/messages/{await driver.deliver(MIXED)}", format="minimal")
    assert "payload" not in answer
    assert "raw" not in answer
    assert answer["snippet"] == "Plain text."
    assert answer["sizeEstimate"] == len(MIXED)


@pytest.mark.parametrize(
    "params",
    [
        pytest.param({"metadataHeaders": ["from", "SUBJECT"]}, id="repeated"),
        pytest.param({"metadataHeaders": "From,Subject"}, id="joined by commas"),
    ],
)
async def test_metadata_is_narrowed_to_the_headers_asked_for(driver: Driver, params: dict[str, str]) -> None:
    id_ = await driver.deliver(MIXED)
    payload = (await driver.get(f"/messages/{id_}", format="metadata", **params))["payload"]
    assert [header["name"] for header in payload["headers"]] == ["From", "Subject"]
    assert payload["mimeType"] == "multipart/mixed"
    assert "body" not in payload


async def test_metadata_has_all_headers_unless_narrowed(driver: Driver) -> None:
    id_ = await driver.deliver(MIXED)
    payload = (await driver.get(f"/messages/{id_}", format="metadata"))["payload"]
    assert len(payload["headers"]) == 5


async def test_a_listing_is_newest_first(driver: Driver) -> None:
    ids = [await driver.deliver(mail(f"message {n}")) for n in range(3)]
    assert [entry["id"] for entry in (await driver.get("/messages"))["messages"]] == ids[::-1]


async def test_a_listing_by_labels_shows_what_carries_them_all(driver: Driver) -> None:
    both = await driver.deliver(mail(), labels="INBOX,STARRED")
    await driver.deliver(mail(), labels="INBOX")
    await driver.deliver(mail(), labels="STARRED")
    for labels in (["INBOX", "STARRED"], "INBOX,STARRED", "STARRED,INBOX"):
        listed = await driver.get("/messages", labelIds=labels)
        assert [entry["id"] for entry in listed["messages"]] == [both]


async def test_spam_and_trash_are_listed_on_demand_alone(driver: Driver) -> None:
    spam, trash, plain = [
        await driver.deliver(mail(), labels=labels) for labels in ("SPAM", "TRASH,STARRED", "INBOX,STARRED")
    ]

    async def listed(**params: str) -> set[str]:
        return {entry["id"] for entry in (await driver.get("/messages", **params))["messages"]}

    assert await listed() == {plain}
    assert await listed(includeSpamTrash="true") == {spam, trash, plain}
    assert await listed(labelIds="STARRED") == {plain}
    assert await listed(labelIds="STARRED", includeSpamTrash="true") == {plain, trash}
    assert await listed(labelIds="SPAM") == {spam}


async def test_an_insert_lies_where_its_labels_say(driver: Driver) -> None:
    answer = await driver.post("/messages", {"raw": encoded(MIXED), "labelIds": ["IMPORTANT"]})
    assert answer["labelIds"] == ["IMPORTANT"]
    assert answer["threadId"] == answer["id"]


async def test_a_deleted_insert_lies_in_the_trash(driver: Driver) -> None:
    body = {"raw": encoded(MIXED), "labelIds": ["INBOX", "STARRED"]}
    answer = await driver.post("/messages", body, deleted="true")
    assert answer["labelIds"] == ["STARRED", "TRASH"]


async def test_raw_is_read_leniently(driver: Driver) -> None:
    raw = encoded(mail("?>?>")).rstrip("=").replace("-", "+").replace("_", "/")
    blanked = "\n ".join(raw[at : at + 60] for at in range(0, len(raw), 60))
    id_ = (await driver.post("/messages", {"raw": blanked}))["id"]
    assert decoded((await driver.get(f"/messages/{id_}", format="raw"))["raw"]) == mail("?>?>")


async def test_labels_are_added_and_removed(driver: Driver) -> None:
    id_ = await driver.deliver(mail())
    change = {"addLabelIds": ["STARRED"], "removeLabelIds": ["UNREAD", "SPAM"]}
    assert set((await driver.post(f"/messages/{id_}/modify", change))["labelIds"]) == {"INBOX", "STARRED"}
    assert "lastMoved" in await driver.get(f"/messages/{id_}", format="minimal")


async def test_a_batch_changes_all_or_none(driver: Driver) -> None:
    ids = [await driver.deliver(mail()) for _ in range(3)]
    await driver.post("/messages/batchModify", {"ids": ids[:2], "addLabelIds": ["STARRED"]})
    assert ["STARRED" in await driver.labels(id_) for id_ in ids] == [True, True, False]
    wrong = {"ids": [ids[2], "unknown"], "addLabelIds": ["STARRED"]}
    assert (await driver.call("POST", "/messages/batchModify", json=wrong)).status_code == 400
    doubles = {"ids": ids[:1] * 1001, "addLabelIds": ["STARRED"]}
    assert (await driver.call("POST", "/messages/batchModify", json=doubles)).status_code == 400
    assert "STARRED" not in await driver.labels(ids[2])


async def test_a_batch_is_deleted_whole_or_not_at_all(driver: Driver) -> None:
    ids = [await driver.deliver(mail()) for _ in range(3)]
    wrong = await driver.call("POST", "/messages/batchDelete", json={"ids": [ids[0], "unknown"]})
    assert wrong.status_code == 400
    start = await driver.cursor()
    await driver.post("/messages/batchDelete", {"ids": ids[:2]})
    assert [entry["id"] for entry in (await driver.get("/messages"))["messages"]] == [ids[2]]
    records = await driver.history(start)
    assert [record["messagesDeleted"][0]["message"]["id"] for record in records] == ids[:2]


async def test_trashing_leaves_the_inbox_and_untrashing_the_trash(driver: Driver) -> None:
    id_ = await driver.deliver(mail())
    assert set((await driver.post(f"/messages/{id_}/trash"))["labelIds"]) == {"TRASH", "UNREAD"}
    assert (await driver.post(f"/messages/{id_}/untrash"))["labelIds"] == ["UNREAD"]


async def test_a_deleted_message_is_gone(driver: Driver) -> None:
    id_ = await driver.deliver(mail())
    assert (await driver.call("DELETE", f"/messages/{id_}")).status_code == 204
    assert (await driver.call("GET", f"/messages/{id_}")).status_code == 404
    assert (await driver.get("/profile"))["messagesTotal"] == 0


async def test_ids_have_zooms_shape(driver: Driver) -> None:
    import re

    assert re.fullmatch(r"[0-9a-f]{16}_[0-9a-f]{16}_\d{3}", await driver.deliver(mail()))


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        pytest.param({"message_id": "<1@x>"}, {"In_Reply_To": "<1@x>"}, True, id="an answer"),
        pytest.param({"message_id": "<1@x>"}, {"References": "<0@x> <1@x>"}, True, id="a reference"),
        pytest.param({"In_Reply_To": "<1@x>"}, {"message_id": "<1@x>"}, True, id="an answer that came first"),
        pytest.param({"References": "<1@x>"}, {"References": "<1@x>"}, True, id="answers to what never came"),
        pytest.param({"message_id": "<1@x>"}, {"message_id": "<2@x>"}, False, id="strangers"),
        pytest.param({}, {}, False, id="messages without ids"),
    ],
)
async def test_messages_meet_in_threads(
    driver: Driver, first: dict[str, str], second: dict[str, str], together: bool
) -> None:
    one = await driver.get(f"/messages/{await driver.deliver(mail(**first))}")
    two = await driver.get(f"/messages/{await driver.deliver(mail(**second))}")
    assert one["threadId"] == one["id"]
    assert (two["threadId"] == one["id"]) is together
    assert (await driver.get("/profile"))["threadsTotal"] == (1 if together else 2)


async def test_threads_do_not_cross_mailboxes(driver: Driver) -> None:
    await driver.deliver(mail(message_id="<1@x>"))
    other = await driver.deliver(mail(In_Reply_To="<1@x>"), BOB)
    assert (await driver.get(f"/messages/{other}", BOB))["threadId"] == other


async def test_the_profile_counts(driver: Driver) -> None:
    await driver.deliver(MIXED)
    profile = await driver.get("/profile")
    assert (profile["messagesTotal"], profile["mboxSize"], profile["emailAddress"]) == (1, len(MIXED), ANN)


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x00\xff\xfe", id="no text"),
        pytest.param(b"Subject: \xff\r\nMessage-ID: <\xed\xa0\x80@x>\r\n\r\n\x00", id="8-bit headers"),
        pytest.param(b"Content-Type: multipart/mixed\r\n\r\n--\r\n", id="a multipart without a boundary"),
        pytest.param(b"Subject: =?utf-8?b?7aCA?=\r\n\r\n=?utf-8?b?7aCA?=", id="a lone surrogate"),
    ],
)
async def test_broken_mail_is_shown_in_every_format(driver: Driver, raw: bytes) -> None:
    id_ = await driver.deliver(raw)
    for shape in ("full", "minimal", "metadata", "raw"):
        await driver.get(f"/messages/{id_}", format=shape)
    assert decoded((await driver.get(f"/messages/{id_}", format="raw"))["raw"]) == raw
