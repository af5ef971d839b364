"""Header fields of a message or a part (RFC 5322, section 2.2)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, KeysView
from functools import lru_cache

from engine.mail.charset import decode
from engine.mail.words import decode_words, tidy

__all__ = ["MAX_FIELDS", "MAX_HEADER_BYTES", "Headers", "decode_words", "parse_headers", "split_headers"]

MAX_FIELDS = 2_000
MAX_HEADER_BYTES = 2 * 1024 * 1024
MAX_REMEMBERED = 1_000
"""Characters of a field that is worth remembering decoded."""

_BLANK_LINE = re.compile(rb"\n\r*\n")
_NAME = re.compile(rb"([\x21-\x39\x3b-\x7e\x80-\xff]*)[ \t]*:")


_BEFORE_FIELDS = (b" ", b"\t", b"\r", b"\n", b"\xef")


class Headers:
    """Immutable header fields in their order; names compare without regard to case."""

    __slots__ = ("_index", "_pairs")

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self._pairs = tuple(pairs)
        index: dict[str, list[str]] = {}
        for name, value in self._pairs:
            index.setdefault(name.lower(), []).append(value)
        self._index = {name: tuple(values) for name, values in index.items()}

    def all(self, name: str) -> tuple[str, ...]:
        """Every raw value of a field, unfolded, in order."""
        return self._index.get(name.lower(), ())

    def text(self, name: str) -> str:
        """The first value of a field, decoded (RFC 2047), whitespace tidied; "" when absent."""
        values = self.all(name)
        return _readable(values[0]) if values else ""

    def texts(self, name: str) -> tuple[str, ...]:
        """Every value of a field, decoded and tidied, in order."""
        return tuple(map(_readable, self.all(name)))

    @property
    def names(self) -> KeysView[str]:
        """The names of all fields, in lower case."""
        return self._index.keys()

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._index

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._pairs)

    def __len__(self) -> int:
        return len(self._pairs)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and self._pairs == other._pairs

    def __hash__(self) -> int:
        return hash(self._pairs)

    def __repr__(self) -> str:
        return f"Headers({list(self._pairs)!r})"


def _readable(raw: str) -> str:
    return _remembered(raw) if len(raw) <= MAX_REMEMBERED else tidy(decode_words(raw))


@lru_cache(maxsize=64)
def _remembered(raw: str) -> str:
    """Decode and tidy; a message's rules read the same few fields again and again."""
    return tidy(decode_words(raw))


def parse_headers(raw: bytes) -> Headers:
    """Read the header fields of a raw message without looking at its body."""
    return split_headers(tidy_start(raw))[0]


def tidy_start(raw: bytes) -> bytes:
    """Make a raw message begin with its first field and end its lines with LF or CRLF.

    Some exports put a line of blanks before it; in some, lines end with bare CR and nothing else.
    """
    raw = raw.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n") if raw[:1] in _BEFORE_FIELDS else raw
    return raw if b"\n" in raw else raw.replace(b"\r", b"\n")


def split_headers(raw: bytes, start: int = 0, end: int | None = None) -> tuple[Headers, int]:
    """Read the fields at `start`; returns them and where the body begins.

    The first line that is neither a field nor its continuation begins the body, as in a mail server.
    """
    end = len(raw) if end is None else end
    if raw.startswith((b"\n", b"\r\n"), start, end):
        return Headers(), raw.index(b"\n", start) + 1
    blank = _BLANK_LINE.search(raw, start, end)
    stop, body = (blank.start(), blank.end()) if blank else (end, end)
    fields, used = _fields(raw[start : min(stop, start + MAX_HEADER_BYTES)].split(b"\n"))
    return Headers(fields), (body if used is None else start + used)


def _fields(lines: list[bytes]) -> tuple[list[tuple[str, str]], int | None]:
    """Gather fields; also the offset of the line that is none, or None."""
    found: list[tuple[str, list[bytes]]] = []
    offset, junk = 0, None
    for number, line in enumerate(lines):
        if line[:1] in (b" ", b"\t") and number:
            if found:
                found[-1][1].append(line.rstrip(b"\r"))
        elif match := _NAME.match(line):
            found.append((match[1].decode("latin-1"), [line[match.end() :].rstrip(b"\r")]))
        elif line.rstrip(b"\r") and not (number == 0 and line.startswith((b"From ", b">From "))):
            junk = offset
            break
        offset += len(line) + 1
    return [(name, _value(parts)) for name, parts in found[:MAX_FIELDS] if name], junk


def _value(parts: list[bytes]) -> str:
    return decode(b"".join(parts).strip(b" \t"))
