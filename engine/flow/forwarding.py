"""Mail that is sent on: below a few lines that name it, or as the file that it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from engine.mail.bodies import ANY_TYPE, MAX_FILES, File, file_name
from engine.mail.charset import decode
from engine.mail.headers import Headers
from engine.mail.markup import named_charset
from engine.mail.mime import MimePart, is_attachment, leaves, parse
from engine.mail.params import parameters
from engine.mail.text import MAX_TEXT_BYTES, message_text
from engine.templating.markup import document, header_value

NAMED = ("From", "Date", "Subject", "To", "Cc")
LINE = "---------- Forwarded message ----------"
_BEFORE_BODY = re.compile(r"<body(?:\s[^>]*)?>", re.I)
_CONTENT_ID = re.compile(r"<([A-Za-z0-9._-]{1,100}@[A-Za-z0-9.-]{1,100})>")


@dataclass(frozen=True, slots=True)
class Forwarded:
    """What a mail that goes on consists of."""

    subject: str
    text: str
    html: str
    files: tuple[File, ...]


def forwarded(raw: bytes, *, whole: bool) -> Forwarded:
    """Send a message on as an attached file if `whole`, else its text and HTML with its files along."""
    root = parse(raw)
    subject = header_value(root.headers.text("Subject"))
    titled = subject if subject.lower().startswith(("fwd:", "fw:")) else f"Fwd: {subject}".rstrip()
    named = list(_named(root.headers))
    if whole:
        file = File(f"{file_name(subject or 'message')}.eml", "message/rfc822", raw)
        return Forwarded(titled, _as_text(named, ""), document(_as_html(named, "")), (file,))
    text, html = message_text(root) or "", _html(root)
    shown = html or f'<div style="white-space: pre-wrap">{escape(text)}</div>'
    return Forwarded(
        titled, _as_text(named, text), document(_as_html(named, shown)), tuple(_files(root, html))
    )


def _named(headers: Headers) -> Iterator[tuple[str, str]]:
    """Name the message by its fields, each in one line."""
    for name in NAMED:
        if value := header_value(headers.text(name)):
            yield name, value


def _as_text(named: list[tuple[str, str]], text: str) -> str:
    head = "\n".join([LINE, *(f"{name}: {value}" for name, value in named)])
    return f"{head}\n\n{text}".rstrip() + "\n"


def _as_html(named: list[tuple[str, str]], body: str) -> str:
    head = "<br>\n".join([LINE, *(f"<b>{name}:</b> {escape(value)}" for name, value in named)])
    return f"<p>{head}</p>\n{body}\n"


def _html(root: MimePart) -> str:
    """The body of the first HTML that is no file, "" where there is none that is held."""
    for part in leaves(root):
        if part.type == "text/html" and part.body is not None and not is_attachment(part):
            body = part.body[:MAX_TEXT_BYTES]
            charset = parameters((*part.headers.all("Content-Type"), "")[0]).get("charset", "")
            source = decode(body, charset or named_charset(body)).replace("\0", "")
            start = _BEFORE_BODY.search(source)
            inner = source[start.end() :] if start else source
            end = inner.lower().rfind("</body")
            return inner[:end] if end >= 0 else inner
    return ""


def _files(root: MimePart, html: str) -> Iterator[File]:
    """Its files; images that the HTML shows keep the name by which it does."""
    shown: set[str] = set()
    found = 0
    for part in leaves(root):
        id_ = _CONTENT_ID.fullmatch(part.headers.text("Content-ID").strip())
        inline = bool(id_) and f"cid:{id_[1]}" in html and id_[1] not in shown if id_ else False
        if part.body is None or not (is_attachment(part) or inline) or found > MAX_FILES:
            continue
        found += 1
        name = id_[1] if id_ and inline else ""
        shown.add(name)
        yield File(part.filename or "file", part.type or ANY_TYPE, part.body, name)
