"""The text of a message that a person reads."""

from __future__ import annotations

import re
from collections.abc import Sequence

from engine.mail.charset import decode
from engine.mail.markup import html_text, named_charset
from engine.mail.params import parameters
from engine.mail.part import MimePart, is_attachment, leaves, marked_attachment

MAX_TEXT_BYTES = 4 * 1024 * 1024
"""More of a part than this is not read."""

_KINDS = (
    re.compile("text/plain"),
    re.compile("text/html"),
    # Unknown kinds of text are plain text (RFC 2046, section 4.1.4); these are known, and data.
    re.compile("text/(?!html|plain|calendar|(?:x-)?vcard|directory|rfc822|css|csv|x-amp).*"),
)
_BREAK = re.compile(r"\r+\n?")


def part_text(part: MimePart) -> str:
    """Give a text part's text, of HTML what is seen of it; "" for other types and bodies not held."""
    if part.body is None or not part.type.startswith("text/"):
        return ""
    body = part.body[:MAX_TEXT_BYTES]
    charset = parameters(part.headers.first("Content-Type")).get("charset", "")
    if part.type != "text/html":
        return _with_line_feeds(decode(body, charset)).replace("\0", "")
    return html_text(decode(body, charset or named_charset(body)))


def message_text(root: MimePart) -> str | None:
    """Join the plain parts, else the HTML parts, else other text; None while one is not held."""
    bodies = [part for part in leaves(root) if _is_body(part, root)]
    for kind in _KINDS:
        chosen = [part for part in bodies if kind.fullmatch(part.type)]
        if any(part.body is None for part in chosen):
            return None
        if text := _joined(chosen):
            return text
    return ""


def _with_line_feeds(text: str) -> str:
    text = text.replace("\r\n", "\n")
    return _BREAK.sub(_line_feeds, text) if "\r" in text else text


def _line_feeds(run: re.Match[str]) -> str:
    """CRs before a line feed belong to its break; those without one are breaks themselves."""
    return "\n" if run[0].endswith("\n") else "\n" * len(run[0])


def _joined(parts: Sequence[MimePart]) -> str:
    texts = [part_text(part) for part in parts]
    return "\n".join(text for text in texts if text.strip())


def _is_body(part: MimePart, root: MimePart) -> bool:
    """A message that is one named text is still read as one."""
    return not (marked_attachment(part) if part is root else is_attachment(part))
