"""Where the parts of a multipart begin and end (RFC 2046, section 5.1.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator

MAX_BOUNDARY = 250

_TAIL = re.compile(rb"(--)?[ \t\r]*+(?:\n|\Z)")
_FIRST_LINE = re.compile(rb"(?:\A|\n)--([^\s]{1,70})[ \t\r]*+\n")


def between_boundaries(raw: bytes, start: int, end: int, boundary: str) -> Iterator[tuple[int, int]]:
    """Give where each part of raw[start:end] begins and ends; one that is never closed ends with it.

    Where the header names no boundary, the first line that looks like one is taken.
    """
    delimiter = boundary.rstrip().encode("utf-8", "replace") or _guess(raw, start, end)
    if not delimiter or len(delimiter) > MAX_BOUNDARY:
        return
    opened = -1
    for line, following, closing in _delimiters(raw, start, end, b"--" + delimiter):
        if opened >= 0:
            yield opened, max(opened, _before_break(raw, line))
        if closing:
            return
        opened = following
    if 0 <= opened < end:
        yield opened, end


def _delimiters(raw: bytes, start: int, end: int, delimiter: bytes) -> Iterator[tuple[int, int, bool]]:
    """Give where each delimiter line begins, where the next line begins, and whether it closes."""
    at = start
    while (hit := raw.find(delimiter, at, end)) >= 0:
        at = hit + 1
        if hit == start or raw[hit - 1] == 0x0A:
            tail = _TAIL.match(raw, hit + len(delimiter), end)
            if tail:
                yield hit, tail.end(), bool(tail[1])
                at = tail.end()


def _before_break(raw: bytes, line: int) -> int:
    """The line break before a delimiter belongs to the delimiter."""
    return line - 2 if raw[line - 2 : line] == b"\r\n" else line - 1


def _guess(raw: bytes, start: int, end: int) -> bytes:
    match = _FIRST_LINE.search(raw, max(start - 1, 0), end)
    return match[1] if match else b""
