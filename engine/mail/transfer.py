"""Content transfer encodings (RFC 2045, section 6), taking what broken senders make of them."""

from __future__ import annotations

import binascii
import re
from contextlib import suppress

_PADDINGS, _BYTES_PER_PADDING = 1_000, 32
"""How many texts in a row are read, or one for so many bytes: some senders encode each line alone."""
_PADDING = re.compile(rb"=+")
_FOREIGN = re.compile(rb"[^A-Za-z0-9+/]+")
_ALIEN = re.compile(rb"[^A-Za-z0-9+/\s]|\S[ \t]+\S")
"""What shows that a run is no base64, such as a footer that a list put below."""


def decode_transfer(data: bytes, encoding: str) -> bytes:
    """Take a transfer encoding off; an unknown one is taken for none."""
    name = encoding.strip().strip("\"'").lower().partition(";")[0].strip()
    if name == "base64":
        return decode_base64(data)
    if name == "quoted-printable":
        return binascii.a2b_qp(data)
    return data


def decode_base64(data: bytes) -> bytes:
    """Decode base64 without padding, with foreign bytes in it, or several texts in a row, to a bound."""
    padding = data.find(b"=")
    if padding < 0 or not data[padding:].strip(b"= \t\r\n"):
        with suppress(binascii.Error):
            return binascii.a2b_base64(data)
    first, *others = _PADDING.split(data, max(_PADDINGS, len(data) // _BYTES_PER_PADDING))
    found = [_run(first)]
    for other in others:
        if _ALIEN.search(other):
            break
        found.append(_run(other))
    return b"".join(found)


def _run(data: bytes) -> bytes:
    digits = _FOREIGN.sub(b"", data)
    if len(digits) % 4 == 1:
        digits = digits[:-1]
    return binascii.a2b_base64(digits + b"=" * (-len(digits) % 4))
