"""What the provider makes of answers that the sandbox does not give."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.responses import Response

from engine.errors import Missing, OutcomeUnknown, Rejected, Unavailable, Unreadable
from engine.flow.ports import Fellow, Period
from engine.mail.events import EventKind
from engine.mail.needs import Need
from engine.providers.zoom_mail.values import encode_base64url
from tests.providers.fakes import BOX, LONG_AGO, Desk, refusal

BODY, ATTACHMENTS = frozenset({Need.BODY}), frozenset({Need.ATTACHMENTS})


@pytest.fixture
def desk() -> Desk:
    return Desk()


def added(number: int, *labels: str) -> dict[str, Any]:
    message = {"id": f"m{number}", "threadId": "t", "labelIds": list(labels)}
    return {"id": str(number), "messagesAdded": [{"message": message}]}


async def test_a_page_that_does_not_move_the_cursor_is_followed_by_its_token(desk: Desk) -> None:
    desk.script.on(
        "GET history",
        {"history": [], "nextPageToken": "a", "historyId": "900"},
        {"history": None, "nextPageToken": "b"},
        {"history": [added(101, "INBOX")], "nextPageToken": "c", "historyId": "900"},
    )
    page = await desk.provider.history(BOX, 100)
    assert [event.key for event in page.events] == ["m101"]
    assert (page.cursor, page.more) == (101, True)
    asked = desk.script.calls("GET history")
    assert [call.query.get("pageToken", "") for call in asked] == ["", "a", "b"]
    assert {call.query["startHistoryId"] for call in asked} == {"100"}
    assert all("historyTypes" not in call.query for call in asked)


async def test_pages_without_end_are_refused(desk: Desk) -> None:
    desk.script.on("GET history", {"nextPageToken": "again"})
    with pytest.raises(Rejected):
        await desk.provider.history(BOX, 100)


@pytest.mark.parametrize(
    ("answer", "cursor"),
    [
        pytest.param({"history": [added(101)], "historyId": "150"}, 150, id="the answer's own id"),
        pytest.param({"history": [added(101)], "historyId": 150}, 150, id="the answer's id as a number"),
        pytest.param({"history": [added(101)]}, 101, id="the last record where the answer names none"),
        pytest.param({"historyId": "90"}, 100, id="never back"),
    ],
)
async def test_at_the_end_the_cursor_is_the_newest_id(
    desk: Desk, answer: dict[str, Any], cursor: int
) -> None:
    desk.script.on("GET history", answer)
    page = await desk.provider.history(BOX, 100)
    assert (page.cursor, page.more) == (cursor, False)


async def test_an_odd_record_hides_none_of_its_neighbours(desk: Desk) -> None:
    odd = {"id": "102", "threadsMuted": [{"id": "t"}]}
    desk.script.on("GET history", {"history": [added(101), odd, "odder", added(103)], "historyId": "103"})
    page = await desk.provider.history(BOX, 100)
    assert [event.key for event in page.events] == ["m101", "m103"]
    assert [json.loads(text) for text in page.unknown] == [odd, {"record": "odder"}]


async def test_a_renamed_label_is_known_by_its_new_name(desk: Desk) -> None:
    listed = [{"labels": [{"id": "Label_1", "name": name}]} for name in ("Old", "New")]
    desk.script.on("GET labels", *listed)
    renamed = {"id": "102", "settingsUpdated": [{"type": "userLabels", "id": "Label_1"}]}
    desk.script.on(
        "GET history",
        {"history": [added(101, "Label_1")], "historyId": "101"},
        {"history": [renamed, added(103, "Label_1")], "historyId": "103"},
    )
    assert (await desk.provider.history(BOX, 100)).events[0].labels == ("Old",)
    events = (await desk.provider.history(BOX, 101)).events
    assert [event.kind for event in events] == [EventKind.SETTINGS_CHANGED, EventKind.MESSAGE_RECEIVED]
    assert events[1].labels == ("New",)


@pytest.mark.parametrize(
    ("what", "listings"),
    [
        pytest.param("settingsAdded", 1, id="a label that was made contradicts nothing"),
        pytest.param("settingsUpdated", 2, id="a label that was renamed does"),
        pytest.param("settingsDeleted", 2, id="a label that was deleted does"),
    ],
)
async def test_labels_are_listed_again_when_the_history_says_so(desk: Desk, what: str, listings: int) -> None:
    desk.script.on("GET labels", {"labels": [{"id": "Label_1", "name": "Finance"}]})
    record = {"id": "102", what: [{"type": "userLabels", "id": "Label_2"}]}
    for records in ([added(101, "Label_1")], [record, added(103, "Label_1")]):
        desk.script.on("GET history", {"history": records, "historyId": "103"})
        assert (await desk.provider.history(BOX, 100)).events[-1].labels == ("Finance",)
    assert len(desk.script.calls("GET labels")) == listings


def part(type_: str, data: bytes | None = None, *, handle: str = "", **more: Any) -> dict[str, Any]:
    body: dict[str, Any] = {"size": len(data) if data is not None else 9}
    if handle:
        body["attachmentId"] = handle
    elif data is not None:
        body["data"] = encode_base64url(data)
    return {"mimeType": type_, "headers": [{"name": "Subject", "value": "s"}], "body": body, **more}


def answer(payload: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
    return {"id": "m1", "threadId": "t1", "labelIds": ["INBOX"], "payload": payload, **more}


def many(*parts: dict[str, Any], type_: str = "multipart/ALTERNATIVE") -> dict[str, Any]:
    return {"mimeType": type_, "body": {"size": 0}, "parts": list(parts)}


def attached(data: bytes) -> dict[str, Any]:
    return {"attachmentId": "a", "size": len(data), "data": encode_base64url(data)}


@pytest.mark.parametrize(
    ("payload", "text", "fetched"),
    [
        pytest.param(part("text/plain", b"here"), "here", "", id="a text in its place"),
        pytest.param(part("text/plain", handle="a"), "fetched a", "a", id="a text that stands apart"),
        pytest.param(
            many(part("text/plain", handle="a"), part("text/html", handle="b")),
            "fetched a",
            "a",
            id="the plain one of two that stand apart",
        ),
        pytest.param(
            many(part("text/plain", b" \r\n"), part("text/html", handle="b")),
            "fetched b",
            "b",
            id="the HTML where the plain one says nothing",
        ),
        pytest.param(part("text/plain", b"", headers=None), "", "", id="an empty text"),
        pytest.param(part("application/pdf", handle="a", filename="a.pdf"), "", "", id="no text at all"),
        pytest.param(
            many(part("text/plain", b"here"), part("text/plain", handle="a", filename="notes.txt")),
            "here",
            "",
            id="an attached text is no text of the message",
        ),
    ],
)
async def test_the_text_is_put_together(desk: Desk, payload: dict[str, Any], text: str, fetched: str) -> None:
    desk.script.on("GET messages/m1", answer(payload))
    for handle in "ab":
        desk.script.on(f"GET messages/m1/attachments/{handle}", attached(b"fetched " + handle.encode()))
    message = await desk.provider.fetch(BOX, "m1", BODY)
    assert message.text.strip() == text
    asked = [call.path[-1] for call in desk.script.asked if "attachments" in call.path]
    assert "".join(asked) == fetched


async def test_many_texts_that_stand_apart_are_read_from_the_raw_message(desk: Desk) -> None:
    payload = many(*(part("text/plain", handle=f"a{n}") for n in range(30)), type_="multipart/mixed")
    raw = encode_base64url(b"Subject: s\r\n\r\nall of it")
    desk.script.on("GET messages/m1", answer(payload), answer(None, raw=raw))
    assert (await desk.provider.fetch(BOX, "m1", BODY)).text == "all of it"
    assert [call.query["format"] for call in desk.script.calls("GET messages/m1")] == ["full", "raw"]


@pytest.mark.parametrize("status", [403, 404, 409])
async def test_a_part_that_is_refused_is_read_from_the_raw_message(desk: Desk, status: int) -> None:
    raw = encode_base64url(b"Subject: s\r\n\r\nall of it")
    desk.script.on("GET messages/m1", answer(part("text/plain", handle="a")), answer(None, raw=raw))
    desk.script.on("GET messages/m1/attachments/a", status)
    assert (await desk.provider.fetch(BOX, "m1", BODY)).text == "all of it"


async def test_a_text_that_the_service_does_not_give_cannot_be_read(desk: Desk) -> None:
    desk.script.on("GET messages/m1", answer(part("text/plain")))
    message = await desk.provider.fetch(BOX, "m1", BODY)
    with pytest.raises(Unreadable):
        _ = message.text


async def test_attachments_are_known_without_fetching_texts(desk: Desk) -> None:
    payload = many(
        part("text/plain", handle="a"),
        part("application/pdf", handle="b", filename="a.pdf"),
        part("message/rfc822", handle="c", parts=[part("image/png", handle="d", filename="inner.png")]),
        type_="multipart/mixed",
    )
    desk.script.on("GET messages/m1", answer(payload))
    message = await desk.provider.fetch(BOX, "m1", ATTACHMENTS)
    assert [(found.name, found.type, found.id) for found in message.attachments] == [
        ("a.pdf", "application/pdf", "b"),
        ("", "message/rfc822", "c"),
    ]
    with pytest.raises(Missing):
        _ = message.text


async def test_a_message_that_is_one_attachment_is_known_as_one(desk: Desk) -> None:
    desk.script.on("GET messages/m1", answer(part("application/pdf", handle="b", filename="a.pdf")))
    [found] = (await desk.provider.fetch(BOX, "m1", ATTACHMENTS)).attachments
    assert (found.name, found.size, found.sniffed) == ("a.pdf", 9, None)


async def test_mail_that_zooms_servers_encrypted_is_known_by_its_parts(desk: Desk) -> None:
    payload = many(
        part("application/vnd.zoom.encrypt.manifest", handle="a"),
        part("application/vnd.zoom.encrypt.mime", handle="b"),
    )
    desk.script.on("GET messages/m1", answer(payload))
    message = await desk.provider.fetch(BOX, "m1", ATTACHMENTS)
    for name in ("text", "attachments"):
        with pytest.raises(Unreadable, match="encrypted"):
            getattr(message, name)


async def test_a_subject_alone_does_not_make_a_message_encrypted(desk: Desk) -> None:
    headers = [{"name": "Subject", "value": "Zoom Encrypted Email"}]
    desk.script.on("GET messages/m1", answer(part("text/plain", b"hello", headers=headers)))
    assert (await desk.provider.fetch(BOX, "m1", BODY)).text == "hello"


@pytest.mark.parametrize(
    ("date", "received"),
    [
        ("1702631317509", datetime(2023, 12, 15, 9, 8, 37, 509000, UTC)),
        (1702631317000, datetime(2023, 12, 15, 9, 8, 37, tzinfo=UTC)),
        ("0", None),
        ("", None),
        ("-5", None),
        ("99999999999999999999", None),
    ],
)
async def test_the_date_of_arrival_is_read_if_it_is_one(
    desk: Desk, date: object, received: datetime | None
) -> None:
    desk.script.on("GET messages/m1", answer(None, internalDate=date))
    assert (await desk.provider.fetch(BOX, "m1", frozenset({Need.LABELS}))).received == received


@pytest.mark.parametrize("needs", [{Need.HEADERS}, {Need.BODY}, {Need.CONTENT}])
async def test_an_answer_without_the_part_that_was_asked_for_is_no_answer(
    desk: Desk, needs: set[Need]
) -> None:
    desk.script.on("GET messages/m1", answer(None))
    with pytest.raises(Unavailable):
        await desk.provider.fetch(BOX, "m1", frozenset(needs))
    with pytest.raises(Unavailable):
        await desk.provider.raw(BOX, "m1")


async def test_a_fuzzy_search_finds_only_what_bears_the_id(desk: Desk) -> None:
    desk.script.on("GET messages", {"messages": [{"id": f"m{n}"} for n in (1, 2, 3)]}).on("GET drafts", {})
    for number, own in (("m1", "<other@x>"), ("m3", "< ours@x >")):
        headers = [{"name": "Message-Id", "value": own}]
        found = {"id": number, "labelIds": ["SENT"], "payload": {"headers": headers}}
        desk.script.on(f"GET messages/{number}", found)
    assert (await desk.provider.find(BOX, "<ours@x>", LONG_AGO)) is None
    headers = [{"name": "message-id", "value": " <ours@x> "}]
    desk.script.on("GET messages/m2", {"id": "m2", "labelIds": ["SENT"], "payload": {"headers": headers}})
    found_one = await desk.provider.find(BOX, "<ours@x>", LONG_AGO)
    assert found_one
    assert (found_one.key, found_one.labels) == ("m2", ("SENT",))
    [first, *_] = desk.script.calls("GET messages")
    assert (first.query["q"], first.query["includeSpamTrash"]) == ("rfc822msgid:ours@x", "true")


async def test_the_copy_that_we_sent_counts_before_the_one_that_came_back(desk: Desk) -> None:
    desk.script.on("GET messages", {"messages": [{"id": "m1"}, {"id": "m2"}]}).on("GET drafts", {})
    for key, name in (("m1", "INBOX"), ("m2", "SENT")):
        headers = [{"name": "Message-ID", "value": "<ours@x>"}]
        found = {"id": key, "labelIds": [name], "payload": {"headers": headers}}
        desk.script.on(f"GET messages/{key}", found)
    found_one = await desk.provider.find(BOX, "<ours@x>", LONG_AGO)
    assert found_one
    assert found_one.key == "m2"


async def test_a_draft_without_a_message_is_known_by_its_own_id(desk: Desk) -> None:
    desk.script.on("POST drafts", {"id": "d1", "message": {"id": "m1"}}, {"id": "d2"}, Response("{}"))
    assert await desk.provider.save_draft(BOX, b"raw") == "m1"
    assert await desk.provider.save_draft(BOX, b"raw") == "d2"
    with pytest.raises(OutcomeUnknown):
        await desk.provider.save_draft(BOX, b"raw")


async def test_a_thread_is_one_call_and_more_only_where_it_is_long(desk: Desk) -> None:
    first = {"id": "m1", "labelIds": ["INBOX", "L7"], "internalDate": "1700000000000"}
    desk.script.on(
        "GET threads/t",
        {"id": "t", "messages": [first], "nextPageToken": "n"},
        {"id": "t", "messages": [{"id": "m2", "labelIds": ["SENT"]}]},
    )
    one, two = await desk.provider.thread(BOX, "t")
    assert one == Fellow("m1", datetime.fromtimestamp(1_700_000_000, UTC), frozenset({"INBOX", "L7"}))
    assert (two.key, two.received, two.labels) == ("m2", None, frozenset({"SENT"}))
    asked = desk.script.calls("GET threads/t")
    assert [call.query.get("pageToken", "") for call in asked] == ["", "n"]
    assert {call.query["format"] for call in asked} == {"metadata"}


async def test_a_thread_without_end_is_refused(desk: Desk) -> None:
    desk.script.on("GET threads/t", {"id": "t", "nextPageToken": "again"})
    with pytest.raises(Rejected):
        await desk.provider.thread(BOX, "t")


async def test_a_listing_asks_for_utc(desk: Desk) -> None:
    desk.script.on("GET messages", {"messages": [{"id": "m1"}], "nextPageToken": "n"})
    since = datetime.fromisoformat("2026-02-07T01:30:00+02:00")
    page = await desk.provider.list_messages(BOX, "p", since)
    assert (page.keys, page.next) == (("m1",), "n")
    [asked] = desk.script.calls("GET messages")
    assert asked.query["q"] == "after:2026-02-06T23:30:00Z"
    assert (asked.query["pageToken"], asked.query["maxResults"]) == ("p", "500")


async def test_a_profile_that_is_not_active_says_so(desk: Desk) -> None:
    desk.script.on("GET profile", {"historyId": "7", "status": "suspended"})
    profile = await desk.provider.profile(BOX)
    assert (profile.history, profile.status, profile.addresses) == (
        7,
        "suspended",
        frozenset({BOX}),
    )


@pytest.mark.parametrize(
    ("answer", "vacation"),
    [
        pytest.param({"enableAutoReply": False, "startTime": "5"}, None, id="it is off"),
        pytest.param({"enableAutoReply": True}, Period(), id="for ever"),
        pytest.param(
            {"enableAutoReply": True, "startTime": "5", "endTime": "9"},
            Period(5, 9),
            id="for a time",
        ),
        pytest.param({}, None, id="nothing is told"),
        pytest.param(refusal(400, 4711, "Scopes missing."), None, id="a scope is missing"),
        pytest.param(404, None, id="there is no such setting"),
    ],
)
async def test_a_profile_tells_when_the_mailbox_itself_replies(
    desk: Desk, answer: Any, vacation: Period | None
) -> None:
    desk.script.on("GET profile", {"historyId": "7"}).on("GET settings/vacation", answer)
    assert (await desk.provider.profile(BOX)).vacation == vacation


async def test_a_profile_waits_for_a_service_that_is_down(desk: Desk) -> None:
    desk.script.on("GET profile", {"historyId": "7"}).on("GET settings/vacation", 503)
    with pytest.raises(Unavailable):
        await desk.provider.profile(BOX)


async def test_closing_closes_the_client(desk: Desk) -> None:
    await desk.provider.aclose()
    with pytest.raises(RuntimeError):
        await desk.provider.profile(BOX)
