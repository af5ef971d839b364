"""What the bytes of a file show it to be, whatever its name and its declared type say."""

from __future__ import annotations

import re

import filetype

SNIFFED_BYTES = 8_192
"""Bytes at the beginning that are looked at."""
MAX_DIRECTORY = 1024 * 1024
"""Bytes of an old Office file in which its directory is looked for."""

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_STREAMS = {
    "WordDocument": "application/msword",
    "Workbook": "application/vnd.ms-excel",
    "Book": "application/vnd.ms-excel",
    "PowerPoint Document": "application/vnd.ms-powerpoint",
    "__properties_version1.0": "application/vnd.ms-outlook",
}
"""The stream by which each application knows its files (MS-DOC, MS-XLS, MS-PPT, MS-OXMSG)."""
_STREAM_NAMES = {f"{name}\0".encode("utf-16-le"): kind for name, kind in _OLE_STREAMS.items()}

_BOM = b"\xef\xbb\xbf"
_HTML = re.compile(
    rb"(?:<!--.{0,2000}?-->\s*+)?<(?:!doctype\s+html|html|head|title|body|script|iframe|table|style)(?=[\s>])",
    re.I | re.S,
)
"""How browsers tell HTML (WHATWG MIME Sniffing, section 7.1), as far as no plain text begins so."""
_SVG = re.compile(
    rb"(?:<\?xml.{0,500}?\?>\s*+)?(?:<!--.{0,2000}?-->\s*+)?(?:<!doctype\s+svg.{0,500}?>\s*+)?<svg(?=[\s>])",
    re.I | re.S,
)


def sniff(body: bytes) -> str:
    """Name the media type that a file's bytes show, "" when they show none that is known."""
    if body.startswith(_OLE):
        return _ole(body[:MAX_DIRECTORY])
    head = body[:SNIFFED_BYTES]
    return filetype.guess_mime(head) or _marked_up(head.removeprefix(_BOM).lstrip(b" \t\r\n\f"))


def _ole(body: bytes) -> str:
    """Tell old Office files apart by the streams that their directory names (MS-CFB, section 2.6.1)."""
    found = (kind for name, kind in _STREAM_NAMES.items() if name in body)
    return next(found, "application/x-ole-storage")


def _marked_up(head: bytes) -> str:
    if not head.startswith(b"<"):
        return ""
    if _HTML.match(head):
        return "text/html"
    if _SVG.match(head):
        return "image/svg+xml"
    return "application/xml" if head[:5].lower() == b"<?xml" else ""
