"""Encoded words: non-ASCII text in header fields (RFC 2047)."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from functools import lru_cache

from engine.mail.charset import decode, without_surrogates
from engine.mail.transfer import decode_base64

_WORD = re.compile(r"=\?([^?\s]{1,80})\?([bBqQ])\?([^?]*+(?:\?(?!=)[^?]*+)*+)\?=")


def decode_words(raw: str) -> str:
    """Decode the encoded words of a field; whatever is broken stays as it stands."""
    return without_surrogates("".join(_texts(raw)) if "=?" in raw else raw)


def tidy(text: str) -> str:
    """Make every run of ASCII whitespace one blank, drop NULs and the ends' blanks."""
    if text.isprintable() and "  " not in text:
        return text.strip()
    return single_blanks(text.replace("\0", "")).strip()


def single_blanks(text: str) -> str:
    """Make every run of ASCII whitespace one blank, and drop the ends'."""
    words = text.encode("utf-8", "surrogatepass").split()  # Bytes part at ASCII alone.
    return b" ".join(words).decode("utf-8", "surrogatepass")


def _texts(raw: str) -> Iterator[str]:
    """Give text pieces, blanks between two words left out.

    Neighbours of one charset are decoded as one, since some senders cut characters.
    """
    end = raw.rfind("?=") + 2  # Behind it no word ends, and none is looked for.
    before, *words = _WORD.split(raw[:end])
    yield before
    charset, pending = "", bytearray()
    for declared, encoding, text, after in zip(*[iter(words)] * 4, strict=True):
        named = _charset(declared)
        if named != charset:
            yield decode(bytes(pending), charset)
            charset, pending = named, bytearray()
        pending += _bytes(encoding, text)
        if after and not after.isspace():
            yield decode(bytes(pending), charset) + after
            charset, pending = "", bytearray()
    yield decode(bytes(pending), charset)
    yield raw[end:]


@lru_cache(maxsize=64)
def _charset(declared: str) -> str:
    """Leave the language out (RFC 2231, section 5)."""
    return declared.partition("*")[0].lower() or "us-ascii"


def _bytes(encoding: str, text: str) -> bytes:
    data = text.encode("utf-8", "replace")
    if encoding in "bB":
        return decode_base64(data)
    return binascii.a2b_qp(data, header=True)
