"""Ids and page tokens in the shapes that Zoom's have."""

from __future__ import annotations

import base64
import binascii
import re
from hashlib import blake2b

from engine.sandbox.failure import invalid

_TOKEN = re.compile(r"(-?\d{1,19}):(\d{1,19})")
_LARGEST = 2**63 - 1


def message_id(address: str, row: int) -> str:
    """Name a message as `<hex16>_<hex16>_<nnn>`; the first part is the same within a mailbox."""
    owner = _digest(address, 4) + "00000000"
    return f"{owner}_{_digest(f'{address}/{row}', 8)}_{row % 1000:03d}"


def filter_id(address: str, row: int) -> str:
    """Name a filter as `<hex16>`."""
    return _digest(f"{address}/filters/{row}", 8)


def page_token(date: int, row: int) -> str:
    """Hide the key that the next page starts after."""
    return base64.urlsafe_b64encode(f"{date}:{row}".encode()).decode().rstrip("=")


def read_page_token(token: str) -> tuple[int, int]:
    """Read a token back. Raises ApiError 400 for one that was not made here."""
    try:
        text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
    except (binascii.Error, ValueError) as error:
        raise invalid("pageToken", "pageToken is invalid.") from error
    found = _TOKEN.fullmatch(text)
    if not found or max(abs(int(found[1])), int(found[2])) > _LARGEST:
        raise invalid("pageToken", "pageToken is invalid.")
    return int(found[1]), int(found[2])


def _digest(text: str, size: int) -> str:
    return blake2b(text.encode(), digest_size=size).hexdigest()
