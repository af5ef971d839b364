"""Header fields of a message or a part (RFC 5322, section 2.2)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, KeysView
from typing import Any, TypeVar

from engine.mail.charset import decode
from engine.mail.words import decode_words, tidy

__all__ = ["MAX_FIELDS", "MAX_HEADER_BYTES", "Headers", "decode_words", "parse_headers", "split_headers"]

T = TypeVar("T")

MAX_FIELDS = 2_000
MAX_HEADER_BYTES = 2 * 1024 * 1024

_NAME = rb"[\x21-\x39\x3b-\x7e\x80-\xff]*+"
_REST = rb"[^\n]*+(?:\n[ \t][^\n]*+)*+"
"""The rest of a line, and the lines that continue it."""
_FIELD = re.compile(rb"(%b)[ \t]*+:(%b)\n?+" % (_NAME, _REST))
_FIELDS = re.compile(rb"(?:>?From (?![ \t]*+:)%b\n?+)?+((?:%b[ \t]*+:%b\n?+)*+)" % (_REST, _NAME, _REST))
"""All fields, after the line that an mbox puts before them."""
_BLANK = re.compile(rb"\r*+(?:\n|\Z)")
_BLANK_LINE = re.compile(rb"\n\r*+\n")
_BEFORE_FIELDS = (b" ", b"\t", b"\r", b"\n", b"\xef")


class Headers:
    """Immutable header fields in their order; names compare without regard to case."""

    __slots__ = ("_found", "_index", "_kept", "_pairs")

    def __init__(self, pairs: Iterable[tuple[str | bytes, str | bytes]] = ()) -> None:
        """Take fields by name; of bytes, folded as they were received, a text is made when asked for."""
        self._pairs = tuple(pairs)
        index: dict[str, str | bytes | list[str | bytes]] = {}
        for name, value in self._pairs:
            key = (name if isinstance(name, str) else name.decode("latin-1")).lower()
            known = index.get(key)
            if known is None:
                index[key] = value
            elif isinstance(known, list):
                known.append(value)
            else:
                index[key] = [known, value]
        self._index = index
        self._found: dict[str, tuple[str, ...]] = {}
        self._kept: dict[object, Any] = {}
        """What was made of the fields, and of each raw value that was read: rules read the same few again."""

    def kept(self, make: Callable[[Headers], T]) -> T:
        """Make something of the fields when first asked for."""
        if make not in self._kept:
            self._kept[make] = make(self)
        found: T = self._kept[make]
        return found

    def all(self, name: str) -> tuple[str, ...]:
        """Every raw value of a field, unfolded, in order."""
        key = name.lower()
        values = self._index.get(key)
        if values is None:
            return ()
        found = self._found.get(key)
        if found is None:
            found = tuple(map(_value, values)) if isinstance(values, list) else (_value(values),)
            self._found[key] = found
        return found

    def first(self, name: str) -> str:
        """The first raw value of a field, unfolded; "" when absent."""
        values = self.all(name)
        return values[0] if values else ""

    def text(self, name: str) -> str:
        """The first value of a field, decoded (RFC 2047), whitespace tidied; "" when absent."""
        first = self.first(name)
        return self._readable(first) if first else ""

    def texts(self, name: str) -> tuple[str, ...]:
        """Every value of a field, decoded and tidied, in order."""
        return tuple(map(self._readable, self.all(name)))

    @property
    def names(self) -> KeysView[str]:
        """The names of all fields, in lower case."""
        return self._index.keys()

    def _readable(self, raw: str) -> str:
        found: str | None = self._kept.get(raw)
        if found is None:
            found = self._kept[raw] = tidy(decode_words(raw))
        return found

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._index

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return ((_name(name), _value(value)) for name, value in self._pairs)

    def __len__(self) -> int:
        return len(self._pairs)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"Headers({list(self)!r})"


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
    stop = min(end, start + MAX_HEADER_BYTES)
    matched = _FIELDS.match(raw, start, stop)
    first, at = matched.span(1) if matched else (start, start)
    found = _FIELD.findall(raw, first, at)[:MAX_FIELDS]
    return Headers([field for field in found if field[0]]), _body(raw, at, stop, end)


def _body(raw: bytes, at: int, stop: int, end: int) -> int:
    """Say where the body begins after fields that end at `at`; what is left of cut ones is passed over."""
    blank = _BLANK_LINE.search(raw, at - 1, end) if at == stop < end else _BLANK.match(raw, at, end)
    return blank.end() if blank else (end if at == stop else at)


def _name(found: str | bytes) -> str:
    return found if isinstance(found, str) else found.decode("latin-1")


def _value(found: str | bytes) -> str:
    """Unfold and decode what was received."""
    if isinstance(found, str):
        return found
    if b"\n" in found:
        found = b"".join([line.rstrip(b"\r") for line in found.split(b"\n")])
    return decode(found.rstrip(b"\r").strip(b" \t"))
