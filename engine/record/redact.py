"""A real message as a fixture: the same structure, sizes and words of rules, and nothing personal."""

from __future__ import annotations

import re

from engine.mail.headers import tidy_start
from engine.record import carriers
from engine.record.fields import redact_field
from engine.record.files import redact_file
from engine.record.kept import Keep, Kept
from engine.record.layout import Body, Field, Piece, pieces
from engine.record.markup import redact_html
from engine.record.words import Words

_ENVELOPE = re.compile(rb">?From ")
"""How the line begins that an mbox puts before a message (RFC 4155)."""
MAX_DEPTH = 8
"""Messages within messages that are taken apart; deeper ones are text."""


def redact(raw: bytes, kept: Kept, seed: int = 0) -> bytes:
    """Redact a message in the same length; what `kept` names stays where it stands."""
    return _redact(raw, kept, Words(seed), 0)


def _redact(raw: bytes, kept: Kept, words: Words, depth: int) -> bytes:
    tidied = tidy_start(raw)
    before = raw[: len(raw) - len(tidied)]
    out = bytearray(tidied)
    for piece in pieces(tidied):
        data = tidied[piece.start : piece.end]
        new = _piece(piece, data, kept, words, depth)
        out[piece.start : piece.end] = new if len(new) == len(data) else _masked(data)
    return before + (bytes(out) if b"\n" in raw else bytes(out).replace(b"\n", b"\r"))


def _piece(piece: Piece, data: bytes, kept: Kept, words: Words, depth: int) -> bytes:
    if isinstance(piece, Field):
        return redact_field(piece.name, data, words, kept)
    if isinstance(piece, Body):
        return _body(piece, data, kept, words, depth)
    envelope = _ENVELOPE.match(data)
    kept_span = [envelope.span()] if envelope else []
    return carriers.plain(data, "", lambda text, codec: words.redact(text, kept_span, codec))


def _body(body: Body, data: bytes, kept: Kept, words: Words, depth: int) -> bytes:
    def work(inner: bytes) -> bytes:
        if body.kind == "message/rfc822" and depth < MAX_DEPTH:
            return _redact(inner, kept, words, depth + 1)
        if body.kind.startswith(("text/", "message/")):
            return carriers.plain(inner, body.charset, change)
        return redact_file(inner)

    def change(text: str, codec: str) -> str:
        if body.kind == "text/html":
            return redact_html(text, codec, words, kept.in_body)
        spans = [span for keep in _kept(body, text, kept) for span in keep.spans(text)]
        return words.redact(text, spans, codec)

    if body.encoding == "base64":
        return carriers.base64(data, work)
    if not body.kind.startswith(("text/", "message/")):
        return carriers.plain(data, "", lambda text, codec: words.redact(text, (), codec))
    return carriers.quoted(data, work) if body.encoding == "quoted-printable" else work(data)


def _kept(body: Body, text: str, kept: Kept) -> list[Keep]:
    return kept.in_body(text) if body.kind.startswith("text/") else []


def _masked(data: bytes) -> bytes:
    """Blot out what could not be redacted in the same length."""
    return bytes(ord("x") if chr(sign).isalnum() or sign > 127 else sign for sign in data)
