"""Encoded words: non-ASCII text in header fields (RFC 2047)."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass

from engine.mail.charset import decode, without_surrogates
from engine.mail.transfer import decode_base64

_START = re.compile(r"=\?([^?\s]{1,80})\?([bBqQ])\?")
_BLANKS = re.compile(r"[ \t\r\n\f\v]{2,}|[\t\r\n\f\v]")
"""Every run of blanks but a single space, which is tidy already."""


@dataclass(frozen=True, slots=True)
class _Word:
    charset: str
    """Empty for text that stands there as it is."""
    data: bytes
    plain: str = ""


def decode_words(raw: str) -> str:
    """Decode the encoded words of a field; whatever is broken stays as it stands."""
    if "=?" not in raw:
        return without_surrogates(raw)
    return without_surrogates("".join(_texts(raw)))


def tidy(text: str) -> str:
    """Make every run of ASCII whitespace one blank, drop NULs and the ends' blanks."""
    return _BLANKS.sub(" ", text.replace("\0", "")).strip()


def _texts(raw: str) -> Iterator[str]:
    """Give text pieces; neighbours of one charset are decoded as one, since some senders cut characters."""
    charset, pending = "", bytearray()
    for word in _words(raw):
        if pending and word.charset != charset:
            yield decode(bytes(pending), charset)
            pending.clear()
        if word.charset:
            charset = word.charset
            pending += word.data
        else:
            charset = ""
            yield word.plain
    if pending:
        yield decode(bytes(pending), charset)


def _words(raw: str) -> Iterator[_Word]:
    """Cut a field into encoded words and what lies between, blanks between two words left out."""
    at, after_word = 0, False
    while start := _START.search(raw, at):
        end = raw.find("?=", start.end())
        if end < 0:
            break
        between = raw[at : start.start()]
        if between and not (after_word and between.isspace()):
            yield _Word("", b"", between)
        charset = start[1].partition("*")[0].lower() or "us-ascii"
        yield _Word(charset, _bytes(start[2], raw[start.end() : end]))
        at, after_word = end + 2, True
    if raw[at:]:
        yield _Word("", b"", raw[at:])


def _bytes(encoding: str, text: str) -> bytes:
    data = text.encode("utf-8", "replace")
    if encoding in "bB":
        return decode_base64(data)
    return binascii.a2b_qp(data, header=True)
