"""A message as Zoom Mail gives it, into the message that rules read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

from engine.errors import Unavailable
from engine.mail import mime
from engine.mail.headers import Headers
from engine.mail.message import Message
from engine.mail.mime import MimePart
from engine.mail.needs import Need, Needs
from engine.providers.zoom_mail.models import MessageAnswer, Part

MINIMAL, METADATA, FULL, RAW = "minimal", "metadata", "full", "raw"

ENCRYPTED = tuple((need, "encrypted") for need in (Need.BODY, Need.ATTACHMENTS, Need.CONTENT))
_ENCRYPTED_TYPE = "application/vnd.zoom.encrypt"


def format_for(needs: Needs) -> str:
    """Choose the cheapest format that brings what is needed."""
    if Need.CONTENT in needs:
        return RAW
    if not needs.isdisjoint({Need.BODY, Need.ATTACHMENTS}):
        return FULL
    return METADATA if Need.HEADERS in needs else MINIMAL


def to_message(answer: MessageAnswer, mailbox: str, labels: Iterable[str], format_: str) -> Message:
    """Give the message with all that a format brings. Raises Unavailable if its part is missing."""
    known = Message(
        key=answer.id,
        mailbox=mailbox,
        thread=answer.thread,
        labels=frozenset(labels),
        received=_moment(answer.internal_date),
        _size=answer.size,
    )
    if format_ == MINIMAL:
        return known
    if format_ == RAW:
        return _sealed(_from_raw(answer, known))
    if answer.payload is None:
        raise Unavailable(f"messages.get answered without a payload for {format_!r}")
    if format_ == METADATA:
        return _sealed(replace(known, _headers=headers_of(answer.payload)))
    return _sealed(_from_tree(answer.payload, known), answer.payload)


def unloaded_texts(payload: Part) -> list[Part]:
    """List the parts that make up the text and whose bytes have to be fetched one by one."""
    leaves = [part for part in _leaves(payload) if _is_text(part)]
    plain = [part for part in leaves if part.type.lower() == "text/plain"]
    return [part for part in plain or leaves if part.body.data is None and part.body.attachment]


def with_data(part: Part, data: dict[str, bytes]) -> Part:
    """Put fetched bytes, by attachment id, in their places."""
    body = part.body
    if body.data is None and body.attachment in data:
        body = body.model_copy(update={"data": data[body.attachment]})
    parts = tuple(with_data(inner, data) for inner in part.parts)
    return part.model_copy(update={"body": body, "parts": parts})


def headers_of(part: Part) -> Headers:
    return Headers((header.name, header.value) for header in part.headers)


def _from_raw(answer: MessageAnswer, known: Message) -> Message:
    if answer.raw is None:
        raise Unavailable("messages.get answered without the raw message")
    whole = mime.from_raw(
        answer.raw,
        key=known.key,
        mailbox=known.mailbox,
        thread=known.thread,
        labels=known.labels,
        received=known.received,
    )
    # One size in every format, or a verdict could change when more is fetched.
    return whole if known._size is None else replace(whole, _size=known._size)


def _from_tree(payload: Part, known: Message) -> Message:
    message = mime.to_message(
        to_mime(payload),
        key=known.key,
        mailbox=known.mailbox,
        thread=known.thread,
        labels=known.labels,
        received=known.received,
        size=known._size,
        content=False,
    )
    return replace(message, _text=None) if unloaded_texts(payload) else message


def to_mime(part: Part) -> MimePart:
    """Give a node of the tree as the MIME part that it stands for."""
    headers, data = headers_of(part), part.body.data
    kind = part.type.strip().lower() or ("multipart/mixed" if part.parts else "text/plain")
    # A forwarded message is one attachment, however far the service takes it apart.
    inner = () if kind == "message/rfc822" else part.parts
    return MimePart(
        headers=headers,
        type=kind,
        filename=part.filename,
        body=None if inner else data,
        size=len(data) if data is not None else part.body.size,
        parts=tuple(to_mime(child) for child in inner),
        attachment_id=part.body.attachment,
    )


def _sealed(message: Message, payload: Part | None = None) -> Message:
    """Mark a message that Zoom's servers encrypted: nothing but its headers can be read."""
    types = [part.type for part in _leaves(payload)] if payload else []
    types += [attachment.type for attachment in message._attachments or ()]
    sealed = any(kind.lower().startswith(_ENCRYPTED_TYPE) for kind in types)
    if sealed or "X-Zoom-Encryption" in message.headers:
        return replace(message, unreadable=ENCRYPTED)
    return message


def _leaves(part: Part) -> Iterator[Part]:
    if not part.parts or part.type.lower() == "message/rfc822":
        yield part
        return
    for inner in part.parts:
        yield from _leaves(inner)


def _is_text(part: Part) -> bool:
    return part.type.lower() in ("text/plain", "text/html") and not mime.is_attachment(to_mime(part))


def _moment(milliseconds: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds > 0 else None
    except (OverflowError, ValueError, OSError):
        return None
