"""The parts of a message (RFC 2045, RFC 2046). Nothing here raises, whatever the bytes are."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from engine.lazy import lazy
from engine.mail.boundaries import parts_between
from engine.mail.headers import Headers, split_headers, tidy_start
from engine.mail.message import Attachment, Message
from engine.mail.params import media_type, parameters, part_name
from engine.mail.part import MimePart, is_attachment, leaves
from engine.mail.sniff import sniff
from engine.mail.text import message_text, part_text
from engine.mail.transfer import decode_transfer

__all__ = [
    "MAX_DEPTH",
    "MAX_PARTS",
    "MimePart",
    "from_raw",
    "is_attachment",
    "leaves",
    "parse",
    "part_text",
    "to_message",
]

MAX_DEPTH = 50
MAX_PARTS = 1_000
_DEFAULTS = {"multipart/digest": "message/rfc822"}


@dataclass(slots=True)
class _Reading:
    raw: bytes
    parts_left: int = field(default=MAX_PARTS)


def parse(raw: bytes) -> MimePart:
    """Read a message into its parts: at most MAX_DEPTH levels and MAX_PARTS parts."""
    raw = tidy_start(raw)
    return _part(_Reading(raw), 0, len(raw), 0, "text/plain")


def _part(reading: _Reading, start: int, end: int, depth: int, default: str) -> MimePart:
    headers, body = split_headers(reading.raw, start, end)
    return _below(reading, headers, body, end, depth, default)


def _below(reading: _Reading, headers: Headers, body: int, end: int, depth: int, default: str) -> MimePart:
    declared = headers.first("Content-Type")
    kind = media_type(declared) or default
    name = part_name(headers)
    if kind.startswith("multipart/") and depth < MAX_DEPTH:
        between = parts_between(reading.raw, body, end, parameters(declared).get("boundary", ""))
        if between is not None:
            parts = _parts(reading, between, depth, _DEFAULTS.get(kind, "text/plain"))
            return MimePart(headers, kind, name, None if parts else b"", 0, parts)
        kind = "text/plain"
    encoding = headers.first("Content-Transfer-Encoding")
    content = decode_transfer(reading.raw[body:end], encoding)
    return MimePart(headers, kind, name, content, len(content))


def _parts(
    reading: _Reading, between: Iterable[tuple[int, int]], depth: int, default: str
) -> tuple[MimePart, ...]:
    found: list[MimePart] = []
    for start, end in between:
        if reading.parts_left <= 0:
            break
        reading.parts_left -= 1
        found.append(_part(reading, start, end, depth + 1, default))
    return tuple(found)


def to_message(
    root: MimePart,
    *,
    key: str,
    mailbox: str = "",
    thread: str = "",
    labels: frozenset[str] = frozenset(),
    received: datetime | None = None,
    size: int | None = None,
    content: bool,
    text: bool = True,
) -> Message:
    """Make the snapshot that rules judge; `content` says that attachment bytes may be read.

    Without `text`, which is dear to make of HTML, it counts as not fetched.
    Text stays unknown while a part of it is not held, and so do attachments of a bare header.
    """
    held = root.body is not None or bool(root.parts)
    return Message(
        key=key,
        mailbox=mailbox,
        thread=thread,
        labels=labels,
        received=received,
        _headers=root.headers,
        _size=size,
        _text=message_text(root) if held and text else None,
        _attachments=_attachments(root, content) if held else None,
        _types=_types(root) if held else frozenset(),
    )


@dataclass(frozen=True)
class _Unparsed:
    """What lies below the header of a whole message."""

    raw: bytes
    headers: Headers
    body: int
    """Where that begins."""
    content: bool

    @lazy
    def root(self) -> MimePart:
        return _below(_Reading(self.raw), self.headers, self.body, len(self.raw), 0, "text/plain")

    @lazy
    def text(self) -> str | None:
        return message_text(self.root)

    @lazy
    def attachments(self) -> tuple[Attachment, ...]:
        return _attachments(self.root, self.content)

    @lazy
    def types(self) -> frozenset[str]:
        return _types(self.root)


def from_raw(
    raw: bytes,
    *,
    key: str,
    mailbox: str = "",
    thread: str = "",
    labels: frozenset[str] = frozenset(),
    received: datetime | None = None,
    content: bool = True,
) -> Message:
    """Read the header of a whole message; all else is known too, but made when first asked for.

    Until then the raw bytes are held. Without `content`, attachment bytes count as not fetched.
    """
    tidy = tidy_start(raw)
    headers, body = split_headers(tidy)
    return Message(
        key=key,
        mailbox=mailbox,
        thread=thread,
        labels=labels,
        received=received,
        _headers=headers,
        _size=len(raw),
        _unparsed=_Unparsed(tidy, headers, body, content),
    )


def _attachments(root: MimePart, content: bool) -> tuple[Attachment, ...]:
    return tuple([_attachment(part, content) for part in leaves(root) if is_attachment(part)])


def _types(root: MimePart) -> frozenset[str]:
    return frozenset([part.type for part in leaves(root)])


def _attachment(part: MimePart, content: bool) -> Attachment:
    body = part.body if content else None
    return Attachment(
        name=part.filename,
        type=part.type,
        size=part.size,
        sniffed=None if body is None else sniff(body),
        sha256=None if body is None else hashlib.sha256(body).hexdigest(),
        id=part.attachment_id,
    )
