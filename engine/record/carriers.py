"""Text in mail under its encodings, read and written back in the same length."""

from __future__ import annotations

import binascii
import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass

Change = Callable[[str, str], str]
"""(text, codec) -> another text of which each sign has the same length in the codec."""

Work = Callable[[bytes], bytes]
"""Bytes -> as many other bytes."""

_DIGIT = re.compile(rb"[A-Za-z0-9+/]")
_QUOTED = re.compile(rb"=([0-9A-Fa-f]{2})|=[ \t]*\r?\n|(.)", re.DOTALL)
_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})|(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Text:
    """Bytes as a text that can be written back."""

    text: str
    codec: str

    @classmethod
    def of(cls, data: bytes, charset: str) -> Text:
        """Read bytes in the charset named, or in one in which they can be written back as they were."""
        for codec in (charset.strip("\"' ").lower(), "utf-8", "cp1252", "latin-1"):
            try:
                text = data.decode(codec)
                if text.encode(codec) == data and codecs.lookup(codec).name != "utf-7":
                    return cls(text, codec)
            except (LookupError, UnicodeError, ValueError, AssertionError):
                continue
        return cls(data.decode("latin-1"), "latin-1")

    def changed(self, change: Change) -> bytes:
        """Give the bytes of the changed text; where their number changes, ASCII letters alone."""
        before = self.text.encode(self.codec)
        after = change(self.text, self.codec).encode(self.codec, "replace")
        if len(after) == len(before):
            return after
        return change(before.decode("latin-1"), "latin-1").encode("latin-1", "replace")


def plain(raw: bytes, charset: str, change: Change) -> bytes:
    """Change text that stands there as it is."""
    return Text.of(raw, charset).changed(change)


def base64(raw: bytes, work: Work) -> bytes:
    """Change what base64 holds; blanks and line breaks stay. What is no whole base64 comes out as zeros."""
    spots = [found.start() for found in _DIGIT.finditer(raw)]
    digits = bytes(raw[at] for at in spots)
    try:
        data = binascii.a2b_base64(digits + b"=" * (-len(digits) % 4), strict_mode=True)
    except binascii.Error:
        data = None
    strange = re.search(rb"=[^=\s]", raw) or re.search(rb"[^A-Za-z0-9+/=\s]", raw)
    new = b"A" * len(digits)
    if data is not None and not strange:
        new = binascii.b2a_base64(work(data), newline=False).rstrip(b"=")
    out = bytearray(raw)
    for at, digit in zip(spots, new, strict=False):
        out[at] = digit
    return bytes(out)


def quoted(raw: bytes, work: Work, *, header: bool = False) -> bytes:
    """Change what quoted-printable holds; what is written out stays so."""
    return _escaped(raw, work, _QUOTED, b"=", b"_" if header else b"")


def percent(raw: bytes, work: Work) -> bytes:
    """Change what percent signs write out (RFC 2231, section 4)."""
    return _escaped(raw, work, _PERCENT, b"%", b"")


def _escaped(raw: bytes, work: Work, tokens: re.Pattern[bytes], mark: bytes, blank: bytes) -> bytes:
    found = list(tokens.finditer(raw))
    carrying = [token for token in found if token[1] or token.lastindex]
    data = b"".join(
        bytes([int(token[1], 16)]) if token[1] else b" " if token[0] == blank else token[0]
        for token in carrying
    )
    new = work(data)
    out = bytearray(raw)
    for at, token in enumerate(carrying):
        if token[1]:
            out[token.start() : token.end()] = mark + b"%02X" % new[at]
        elif token[0] != blank:
            out[token.start()] = new[at]
    return bytes(out)
