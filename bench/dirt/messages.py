"""Hostile messages as conditions see them: one thing of each huge, or very many of each."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

from bench.dirt.texts import repeated
from engine.mail.headers import Headers
from engine.mail.message import Attachment, Conversation, Message
from engine.rules.home import Home
from engine.rules.memory import Beside
from engine.rules.view import View

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
HOME = Home(authserv_ids=frozenset({"mx.example"}))
FIELDS = (
    *("From", "To", "Cc", "Bcc", "Reply-To", "Sender", "Delivered-To", "Return-Path", "Subject"),
    *("X-A", "List-Id", "Message-ID", "In-Reply-To", "Content-Type", "Content-Class"),
    *("Auto-Submitted", "Precedence", "X-Auto-Response-Suppress", "Authentication-Results"),
)
PIECES: Mapping[str, str] = {
    "one huge word": "a",
    "many small words": "aa ",
    "addresses": "a@b, ",
    "domains": "@é.a.",
    "letters that fold to three": "\ufb03",
    "letters with marks": "a\u0301",
    "combining marks out of order": "\u0301\u0323",
    "encoded words": "=?utf-8?b?w6k=?=",
    "half characters": "\ud800",
    "backslashes": "\\",
}
See = Callable[[int], View]
"""Makes the message anew, nothing of it read yet."""


def _view(
    fields: Iterable[tuple[str, str]],
    labels: Iterable[str],
    text: str,
    names: Iterable[str],
    values: Iterable[str],
) -> View:
    message = Message(
        key="k",
        mailbox="support@acme.example",
        thread=text,
        labels=frozenset(("INBOX", *labels)),
        received=NOW,
        _headers=Headers(fields),
        _size=len(text),
        _text=text,
        _attachments=tuple(
            Attachment(name, "application/pdf", 3, "application/pdf", "cd" * 32) for name in names
        ),
        _conversation=Conversation(first=False, messages=len(text), replied=False),
    )
    payload = json.dumps({"a": text, "b": [{"c": value} for value in values]})
    return View(message, NOW, home=HOME, beside=Beside("event", payload, rule="r"))


def _huge(piece: str, size: int) -> View:
    text = repeated(piece, size)
    fields = [(name, f"mx.example; {text}" if name == FIELDS[-1] else text) for name in FIELDS]
    return _view(fields, [text], text, [text], [text])


def _many(piece: str, size: int) -> View:
    """Everything in as many pieces, each in a field, a label, a file, a value of its own."""
    count = max(1, size // 10)
    texts = [f"{piece}{100_000 + n}" for n in range(count)]
    fields = [(name, text) for name in FIELDS for text in texts[: max(1, count // len(FIELDS))]]
    return _view(fields, texts, piece * count, texts, texts)


def _crowded(piece: str, size: int) -> View:
    """Very many people in every field."""
    people = ", ".join(
        f"{piece}{n} <a{n}@a{n}.b.example>" for n in range(100_000, 100_000 + max(1, size // 30))
    )
    return _view([(name, people) for name in FIELDS], [], piece, [], [])


def _seen(make: Callable[[str, int], View], piece: str) -> See:
    return lambda size: make(piece, size)


MESSAGES: Mapping[str, See] = {
    **{f"{name}, huge": _seen(_huge, piece) for name, piece in PIECES.items()},
    **{f"{name}, in many places": _seen(_many, piece) for name, piece in PIECES.items()},
    **{f"{name}, of many people": _seen(_crowded, piece) for name, piece in PIECES.items()},
}
