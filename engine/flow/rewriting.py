"""What a mail of ours says, and the same mail with another subject or text. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from html import escape

from engine.flow.approvals import About
from engine.mail.address import Address, parse_addresses
from engine.mail.bodies import File, UnsendableError
from engine.mail.compose import Outgoing, compose, is_free_field
from engine.mail.dates import message_date
from engine.mail.headers import parse_headers
from engine.mail.mime import MimePart, is_attachment, leaves, parse
from engine.templating.limits import LimitError
from engine.templating.markup import document, header_line, tidy

MAX_TEXT = 300_000
"""Characters that a person may write."""
OWN_WAY = frozenset({"auto-submitted"})
"""Fields that composing takes in a way of its own."""


def about_of(mailbox: str, rule: str, raw: bytes) -> About:
    """Say in short what a message is."""
    headers = parse_headers(raw)
    fields = [value for name in ("To", "Cc") for value in headers.all(name)]
    to = tuple(address.address for address in parse_addresses(fields))
    return About(mailbox, rule, to, headers.text("Subject"))


def bodies(raw: bytes) -> tuple[str, str]:
    """Give the text and the HTML of a mail that we composed."""
    found = {part.type: part for part in reversed([*leaves(parse(raw))]) if not is_attachment(part)}
    return _source(found.get("text/plain")), _source(found.get("text/html"))


def rewritten(raw: bytes, subject: str | None, text: str | None) -> bytes:
    """Compose a mail of ours anew. Its HTML then says what the text does.

    Raises UnsendableError for what cannot be sent.
    """
    mail = _read(raw)
    if subject is not None:
        mail = replace(mail, subject=_line(subject))
    if text is not None and tidy(text) != mail.text:
        plain, html = _written(text)
        mail = replace(mail, text=plain, html=html)
    return compose(mail)


def people(raw: bytes) -> tuple[tuple[Address, ...], tuple[Address, ...]]:
    """Give whom a mail of ours is to, and who gets a copy."""
    headers = parse_headers(raw)
    return parse_addresses(headers.all("To")), parse_addresses(headers.all("Cc"))


def readdressed(raw: bytes, to: tuple[Address, ...], cc: tuple[Address, ...]) -> bytes:
    """Compose a mail of ours anew, to others."""
    return compose(replace(_read(raw), to=to, cc=cc))


def _read(raw: bytes) -> Outgoing:
    """Read a mail of ours back."""
    root = parse(raw)
    headers = root.headers
    plain, html = bodies(raw)
    to, cc = people(raw)
    return Outgoing(
        from_=parse_addresses(headers.all("From"))[0],
        to=to,
        cc=cc,
        subject=headers.text("Subject"),
        text=plain,
        html=html,
        message_id=headers.text("Message-ID"),
        date=message_date(headers) or datetime.fromtimestamp(0, UTC),
        in_reply_to=headers.text("In-Reply-To"),
        references=tuple(headers.text("References").split()),
        headers={
            name: headers.text(name)
            for name in dict(headers)
            if is_free_field(name) and name.lower() not in OWN_WAY
        },
        reply_to=parse_addresses(headers.all("Reply-To")),
        files=tuple(_files(root)),
        auto=headers.text("Auto-Submitted"),
    )


def _line(subject: str) -> str:
    try:
        return header_line("Subject", subject)
    except LimitError as error:
        raise UnsendableError(str(error)) from None


def _written(text: str) -> tuple[str, str]:
    if len(text) > MAX_TEXT:
        raise UnsendableError(f"the text has more than {MAX_TEXT:,} characters")
    plain = tidy(text)
    return plain, document(f'<div style="white-space: pre-wrap">{escape(plain)}</div>\n')


def _source(part: MimePart | None) -> str:
    """A text part as it was written, HTML with its tags; our own are in UTF-8."""
    if part is None or part.body is None:
        return ""
    return part.body.decode("utf-8", "replace").replace("\r\n", "\n")


def _files(root: MimePart) -> Iterator[File]:
    for part in leaves(root):
        if part.body is not None and is_attachment(part):
            id_ = part.headers.text("Content-ID").strip("<> ")
            yield File(part.filename or "file", part.type, part.body, id_)
