"""A message's text is made only where somebody reads it."""

from __future__ import annotations

import json

import pytest

from engine.errors import Missing
from engine.providers.zoom_mail.models import MessageAnswer, read_answer
from engine.providers.zoom_mail.reading import FULL, to_message
from engine.providers.zoom_mail.values import encode_base64url

TREE = {
    "mimeType": "multipart/mixed",
    "parts": [
        {"mimeType": "text/html", "body": {"size": 9, "data": encode_base64url(b"<p>Hi</p>")}},
        {
            "mimeType": "application/pdf",
            "headers": [{"name": "Content-Disposition", "value": "attachment; filename=a.pdf"}],
            "body": {"size": 3, "attachmentId": "1"},
        },
    ],
}


def answer() -> MessageAnswer:
    return read_answer(MessageAnswer, json.dumps({"id": "m", "payload": TREE}).encode())


def test_text_that_nobody_asked_for_counts_as_not_fetched() -> None:
    message = to_message(answer(), "a@x.example", ["INBOX"], FULL, text=False)
    assert [file.name for file in message.attachments] == ["a.pdf"]
    with pytest.raises(Missing):
        _ = message.text


def test_text_that_was_asked_for_is_there() -> None:
    assert to_message(answer(), "a@x.example", ["INBOX"], FULL).text.strip() == "Hi"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("one\r\ntwo\r\n", id="ordinary line ends"),
        pytest.param("one\r\r\ntwo\n", id="a line end with a CR too many"),
        pytest.param("one\rtwo\r", id="bare CRs"),
        pytest.param("one\ntwo\n", id="bare LFs"),
    ],
)
def test_every_line_end_becomes_one_line_feed(text: str) -> None:
    tree = {"mimeType": "text/plain", "body": {"size": 9, "data": encode_base64url(text.encode())}}
    read = read_answer(MessageAnswer, json.dumps({"id": "m", "payload": tree}).encode())
    assert to_message(read, "a@x.example", [], FULL).text == "one\ntwo\n"
