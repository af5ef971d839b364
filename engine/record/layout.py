"""Where the header fields, the bodies and what lies between them stand in a raw message.

It cuts as `engine.mail.mime` reads, and covers every byte once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from engine.mail.boundaries import parts_between
from engine.mail.headers import split_headers
from engine.mail.mime import MAX_DEPTH, MAX_PARTS
from engine.mail.params import media_type, parameters

_FIELD = re.compile(rb"([\x21-\x39\x3b-\x7e\x80-\xff]*)[ \t]*:")
_DEFAULTS = {"multipart/digest": "message/rfc822"}


@dataclass(frozen=True, slots=True)
class Field:
    """The value of a header field, line breaks and all."""

    start: int
    end: int
    name: str
    """In lower case."""


@dataclass(frozen=True, slots=True)
class Body:
    """The body of a part that holds no parts."""

    start: int
    end: int
    kind: str
    charset: str
    encoding: str


@dataclass(frozen=True, slots=True)
class Gap:
    """What lies between: delimiters, preambles, what is no mail."""

    start: int
    end: int


Piece = Field | Body | Gap


@dataclass(slots=True)
class _Left:
    parts: int = MAX_PARTS


def pieces(raw: bytes) -> Iterator[Piece]:
    """Cut a raw message that begins with its first field, its lines ending with LF."""
    yield from _part(raw, 0, len(raw), "text/plain", 0, _Left())


def _part(raw: bytes, start: int, end: int, default: str, depth: int, left: _Left) -> Iterator[Piece]:
    headers, body = split_headers(raw, start, end)
    yield from _fields(raw, start, body)
    declared = headers.first("Content-Type")
    kind = media_type(declared) or default
    params = parameters(declared)
    if kind.startswith("multipart/") and depth < MAX_DEPTH:
        between = parts_between(raw, body, end, params.get("boundary", ""))
        if between is not None:
            yield from _multipart(raw, body, end, between, _DEFAULTS.get(kind, "text/plain"), depth, left)
            return
        kind = "text/plain"
    encoding = headers.first("Content-Transfer-Encoding")
    name = encoding.strip().strip("\"'").lower().partition(";")[0].strip()
    yield Body(body, end, kind, params.get("charset", ""), name)


def _multipart(
    raw: bytes,
    start: int,
    end: int,
    between: list[tuple[int, int]],
    default: str,
    depth: int,
    left: _Left,
) -> Iterator[Piece]:
    at = start
    for first, last in between:
        if left.parts <= 0:
            break
        left.parts -= 1
        yield Gap(at, first)
        yield from _part(raw, first, last, default, depth + 1, left)
        at = last
    yield Gap(at, end)


def _fields(raw: bytes, start: int, end: int) -> Iterator[Piece]:
    """Cut a header; what is neither a field nor its continuation is a gap."""
    at, name, value = start, "", start
    while at < end:
        stop = raw.find(b"\n", at, end)
        stop = end if stop < 0 else stop + 1
        continued = raw[at : at + 1] in (b" ", b"\t") and at > start
        found = None if continued else _FIELD.match(raw, at, stop)
        if not continued:
            yield from _closed(name, value, at)
            name, value = (found[1].decode("latin-1").lower(), found.end()) if found else ("", at)
        at = stop
    yield from _closed(name, value, at)


def _closed(name: str, start: int, end: int) -> Iterator[Piece]:
    if start < end:
        yield Field(start, end, name) if name else Gap(start, end)
