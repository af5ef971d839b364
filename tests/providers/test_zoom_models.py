"""What Zoom Mail is known to write oddly is still read."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.net.failures import BadAnswer
from engine.providers.zoom_mail.label_models import LabelLook, Labels
from engine.providers.zoom_mail.models import (
    HistoryAnswer,
    MessageAnswer,
    MessageList,
    ProfileAnswer,
    read_answer,
)
from engine.providers.zoom_mail.settings_models import Criteria, FilterAction, Vacation
from engine.providers.zoom_mail.values import decode_base64url, encode_base64url


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("PDw_Pz8-Pg", id="without padding"),
        pytest.param("PDw_Pz8-Pg==", id="with padding"),
        pytest.param("PDw_ Pz8-\r\n Pg= =", id="with blanks and line breaks"),
        pytest.param("PDw/Pz8+Pg==", id="in the other alphabet"),
    ],
)
def test_base64url_is_read_in_every_spelling(text: str) -> None:
    assert decode_base64url(text) == b"<<???>>"


@pytest.mark.parametrize("text", ["a", "ab!c", "ключ", "aaaaa"])
def test_what_is_not_base64url_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not base64url"):
        decode_base64url(text)


@given(st.binary())
@settings(max_examples=100, deadline=None)
def test_base64url_round_trips(data: bytes) -> None:
    assert decode_base64url(encode_base64url(data).rstrip("=")) == data


def read(**fields: Any) -> MessageAnswer:
    return read_answer(MessageAnswer, json.dumps({"id": "m1", **fields}).encode())


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("1702631317509", 1702631317509),
        (1702631317509, 1702631317509),
        (5.0, 5),
        ("", 0),
        (None, 0),
        (" 7 ", 7),
    ],
)
def test_numbers_may_be_text(value: object, number: int) -> None:
    assert read(internalDate=value).internal_date == number


def test_nulls_count_as_absent_and_strangers_are_ignored() -> None:
    answer = read(labelIds=None, payload=None, sizeEstimate=None, userScheduled="False", manifest="x", new={})
    assert (answer.labels, answer.payload, answer.size) == ((), None, None)


def test_a_profile_is_read_with_its_addresses() -> None:
    body = {
        "emailAddress": "Ann@acme.example",
        "aliases": [{"aliasEmail": "a@acme.example", "description": None}],
        "groupEmails": None,
        "historyId": 12,
    }
    answer = read_answer(ProfileAnswer, json.dumps(body).encode())
    assert (answer.history, answer.status, answer.groups) == (12, "active", ())
    assert answer.aliases[0].address == "a@acme.example"


def test_empty_lists_may_be_left_out() -> None:
    assert read_answer(MessageList, b"{}") == MessageList()
    assert read_answer(Labels, b'{"labels": null}').labels == ()
    assert read_answer(HistoryAnswer, b'{"historyId": "9"}').newest == 9


def headers(text: bytes) -> str:
    body = b'{"id": "m", "payload": {"headers": [{"name": "Subject", "value": "%s"}]}}' % text
    answer = read_answer(MessageAnswer, body)
    assert answer.payload
    return answer.payload.headers.all("Subject")[0]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param(b"a\\ud800b", "a\ufffdb", id="half a surrogate pair in an escape"),
        pytest.param(b"a\\ud83d\\ude00b", "a\U0001f600b", id="a whole pair"),
        pytest.param(b"caf\xe9", "caf\ufffd", id="a byte that is not UTF-8"),
    ],
)
def test_text_of_broken_mail_does_not_hide_the_message(text: bytes, value: str) -> None:
    assert headers(text) == value


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"<html>secret-text</html>", id="a web page"),
        pytest.param(b'{"id": "m", "labelIds": ["secret-te', id="half an answer"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"null", id="null"),
        pytest.param(b'{"threadId": "secret-text"}', id="no id"),
        pytest.param(b'{"id": {"secret-text": 1}}', id="an id that is a map"),
        pytest.param(b'{"id": "m", "raw": "secret-text!"}', id="raw that is not base64url"),
        pytest.param(b'{"id": "m", "internalDate": "secret-text"}', id="a date that is a word"),
        pytest.param(b'{"id": "m", "internalDate": "' + b"9" * 9999 + b'"}', id="an endless number"),
        pytest.param(b'{"id": "m", "internalDate": "1.e999"}', id="an infinite number"),
        pytest.param(b'{"id": "m", "payload": ["secret-text"]}', id="a tree that is a list"),
        pytest.param(b'{"id": "m", "payload": {"parts": [null]}}', id="a part that is nothing"),
        pytest.param(b'{"id": "m", "payload": {"headers": ["secret-text"]}}', id="a header without name"),
        pytest.param(b'{"id": "m", "payload": {"body": "secret-text"}}', id="a body that is a word"),
        pytest.param(b'{"id": "m", "payload": {"filename": ["secret-text"]}}', id="a name that is a list"),
        pytest.param(
            b'{"id": "m", "payload": {"parts": [{"body": {"data": "secret-text!"}}]}}',
            id="data of a part that is not base64url",
        ),
        pytest.param(
            b'{"id": "m", "payload": ' + b'{"parts": [' * 5_000 + b"]}" * 5_000 + b"}",
            id="parts within parts without end",
        ),
        pytest.param(b"[" * 100_000, id="a hundred thousand brackets"),
    ],
)
def test_what_cannot_be_read_is_a_bad_answer_that_quotes_nothing(body: bytes) -> None:
    with pytest.raises(BadAnswer) as caught:
        read_answer(MessageAnswer, body)
    assert "secret-text" not in f"{caught.value!r}{caught.value.__cause__!r}{caught.value.__context__!r}"


@given(st.binary())
@settings(max_examples=100, deadline=None)
def test_no_bytes_crash_the_reader(body: bytes) -> None:
    with pytest.raises(BadAnswer):
        read_answer(MessageAnswer, body)


@pytest.mark.parametrize(
    ("told", "start"),
    [
        pytest.param({"startTime": "1704268800000"}, 1_704_268_800_000, id="as text"),
        pytest.param({"startTime": 1_704_268_800_000}, 1_704_268_800_000, id="as a number"),
        pytest.param({"startTimeISO": "2024-01-03T08:00:00.000Z"}, 1_704_268_800_000, id="in ISO alone"),
        pytest.param({"startTimeISO": "2024-01-03T08:00:00"}, 1_704_268_800_000, id="in ISO without a zone"),
        pytest.param({"startTime": "", "startTimeISO": "tomorrow"}, 0, id="as nothing that can be read"),
        pytest.param({"startTime": "5", "startTimeISO": "2024-01-03T08:00:00Z"}, 5, id="twice: milliseconds"),
        pytest.param({}, 0, id="not at all"),
    ],
)
def test_when_a_vacation_begins_is_read_in_any_form(told: dict[str, Any], start: int) -> None:
    body = json.dumps({"enableAutoReply": "true", **told}).encode()
    vacation = read_answer(Vacation, body)
    assert (vacation.on, vacation.start, vacation.end) == (True, start, 0)


def test_settings_are_written_as_the_reference_has_them() -> None:
    assert Vacation(on=True, start=5).body() == {"enableAutoReply": True, "startTime": "5"}
    assert Vacation().body() == {"enableAutoReply": False}
    assert Criteria(sender="a@x", has_attachment=True).body() == {"from": "a@x", "hasAttachment": True}
    assert FilterAction(add=("A",)).body() == {"addLabelIds": ["A"]}


def test_a_label_is_read_and_written_in_either_spelling() -> None:
    told = {"id": "L", "name": "n", "parentld": "P", "messageListVisibilitystring": "hide"}
    [label] = read_answer(Labels, json.dumps({"labels": [told]}).encode()).labels
    assert (label.parent, label.on_messages) == ("P", "hide")
    written = LabelLook(on_messages="hide").body()
    assert written == {"messageListVisibility": "hide", "messageListVisibilitystring": "hide"}


def test_the_published_example_is_read() -> None:
    raw = base64.urlsafe_b64encode(b"To: john@example.com\nFrom: jane@example.com\n\nhello").decode()
    answer = read(
        threadId="t",
        labelIds=["INBOX"],
        snippet="Email text here",
        historyId="5153",
        sizeEstimate=25201,
        raw=raw,
    )
    assert answer.raw == b"To: john@example.com\nFrom: jane@example.com\n\nhello"
    assert (answer.thread, answer.labels, answer.size) == ("t", ("INBOX",), 25201)
