"""One part of a message, as it was read or fetched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.mail.headers import Headers


@dataclass(frozen=True, slots=True)
class MimePart:
    """One part of a message, or the whole of it."""

    headers: Headers
    type: str
    """Media type, lower case, without parameters."""
    filename: str
    body: bytes | None
    """The bytes after the transfer encoding is taken off; None when not held, and for multiparts."""
    size: int
    """Length of the body, also of one that is not held."""
    parts: tuple[MimePart, ...] = ()
    attachment_id: str = ""
    """The provider's handle for fetching the body."""


def leaves(root: MimePart) -> Iterator[MimePart]:
    """Give the parts that hold no parts, in order."""
    if not root.parts:
        yield root
    for part in root.parts:
        yield from leaves(part)


def marked_attachment(part: MimePart) -> bool:
    """Say whether `Content-Disposition` calls the part an attachment (RFC 2183, section 2.2)."""
    return part.headers.text("Content-Disposition").lower().startswith("attachment")


def is_attachment(part: MimePart) -> bool:
    """Say whether a leaf is an attached file: named, marked so, or a message of its own."""
    if part.parts:
        return False
    return bool(part.filename) or part.type == "message/rfc822" or marked_attachment(part)
