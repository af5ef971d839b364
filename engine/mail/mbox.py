"""Messages of an mbox file, one at a time (RFC 4155, with mboxrd quoting)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

_SEPARATOR = re.compile(rb"From .*\d\d:\d\d")
_SEPARATOR_WITHOUT_TIME = re.compile(rb"From +\S+(?: .*\b\d{4})?\s*\Z")
_FIELD = re.compile(rb"[A-Za-z][A-Za-z0-9-]*:(?:\s|\Z)")
_QUOTED = re.compile(rb">+From ")
_MAX_LINE = 1024 * 1024


def read_mbox(stream: BinaryIO, limit: int) -> Iterator[bytes | None]:
    """Give each message; None for one of more than `limit` bytes.

    A message begins at a `From ` line that follows an empty line, and either has a time in it, or
    has nothing but a sender and perhaps a date, and a header field in the line below.
    """
    lines: list[bytes] = []
    size, blank, first = 0, True, True
    whole, line = True, stream.readline(_MAX_LINE)
    while line:
        below = stream.readline(_MAX_LINE)
        if whole and blank and line.startswith(b"From ") and (first or _separates(line, below)):
            if not first:
                yield _message(lines, size, limit)
            lines, size, first = [], 0, False
        else:
            size += len(line)
            if size <= limit:
                lines.append(line[1:] if whole and _QUOTED.match(line) else line)
        blank = whole and not line.strip(b"\r\n")
        whole, line = line.endswith(b"\n"), below
    if not first:
        yield _message(lines, size, limit)


def _separates(line: bytes, below: bytes) -> bool:
    return bool(_SEPARATOR.match(line) or (_SEPARATOR_WITHOUT_TIME.match(line) and _FIELD.match(below)))


def _message(lines: list[bytes], size: int, limit: int) -> bytes | None:
    """Join a message's lines without the empty one that parts it from the next."""
    if size > limit:
        return None
    if len(lines) > 1 and not lines[-1].strip(b"\r\n"):
        lines = lines[:-1]
    return b"".join(lines)
