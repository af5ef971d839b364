"""Where the parts of a multipart begin and end (RFC 2046, section 5.1.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator

MAX_BOUNDARY = 1_000

_TAIL = re.compile(rb"(--)?[ \t\r]*+(?:\n|\Z)")
_LIKELY = re.compile(rb"(?:\A|\n)--(?=\S)([^\r\n]{1,70})\r*\n(?=content-)", re.I)


def parts_between(raw: bytes, start: int, end: int, boundary: str) -> list[tuple[int, int]] | None:
    """Give where each part of raw[start:end] begins and ends, None when no boundary is there.

    A part that is never closed ends with the whole. Where the boundary that the header names is
    nowhere, the first line is taken that looks like one and has a part's header below it.
    """
    found = _parts(raw, start, end, boundary.rstrip().encode("utf-8", "replace"))
    if found is None and (likely := _LIKELY.search(raw, max(start - 1, 0), end)):
        found = _parts(raw, start, end, likely[1].rstrip())
    return found


def _parts(raw: bytes, start: int, end: int, boundary: bytes) -> list[tuple[int, int]] | None:
    if not 0 < len(boundary) <= MAX_BOUNDARY:
        return None
    found: list[tuple[int, int]] = []
    opened, seen = -1, False
    for line, following, closing in _delimiters(raw, start, end, b"--" + boundary):
        if opened >= 0:
            found.append((opened, max(opened, _before_break(raw, line))))
        opened, seen = (-1 if closing else following), True
        if closing:
            break
    if 0 <= opened < end:
        found.append((opened, end))
    return found if seen else None


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
