"""A message as Zoom Mail gives it, into the message that rules read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypedDict

from engine.errors import Unavailable
from engine.flow.ports import Fellow
from engine.mail import mime
from engine.mail.automated import is_automatic
from engine.mail.message import Message
from engine.mail.mime import MimePart, is_attachment, leaves
from engine.mail.needs import Need, Needs
from engine.mail.text import message_text
from engine.providers.zoom_mail.models import MessageAnswer

MINIMAL, METADATA, FULL, RAW = "minimal", "metadata", "full", "raw"

ENCRYPTED = tuple((need, "encrypted") for need in (Need.BODY, Need.ATTACHMENTS, Need.CONTENT))
_ENCRYPTED_TYPE = "application/vnd.zoom.encrypt"


class _Known(TypedDict):
    """What every format tells."""

    key: str
    mailbox: str
    thread: str
    labels: frozenset[str]
    received: datetime | None


def format_for(needs: Needs) -> str:
    """Choose the cheapest format that brings what is needed."""
    if Need.CONTENT in needs:
        return RAW
    if not needs.isdisjoint({Need.BODY, Need.ATTACHMENTS}):
        return FULL
    return METADATA if Need.HEADERS in needs else MINIMAL


def to_message(
    answer: MessageAnswer, mailbox: str, labels: Iterable[str], format_: str, *, text: bool = True
) -> Message:
    """Give the message with all that a format brings, of a full one the text only if asked for.

    Raises Unavailable if the format's part is missing.
    """
    known = _Known(
        key=answer.id,
        mailbox=mailbox,
        thread=answer.thread,
        labels=frozenset(labels),
        received=_moment(answer.internal_date),
    )
    if format_ == MINIMAL:
        return Message(**known, _size=answer.size)
    if format_ == RAW:
        return _sealed(_from_raw(answer, known))
    if answer.payload is None:
        raise Unavailable(f"messages.get answered without a payload for {format_!r}")
    if format_ == METADATA:
        return _sealed(Message(**known, _size=answer.size, _headers=answer.payload.headers))
    return _sealed(_from_tree(answer.payload, known, answer.size, text), answer.payload)


def to_fellow(answer: MessageAnswer) -> Fellow:
    said = answer.payload.headers.text("Auto-Submitted") if answer.payload else ""
    return Fellow(answer.id, _moment(answer.internal_date), frozenset(answer.labels), is_automatic(said))


def unloaded_texts(root: MimePart) -> list[str]:
    """List the handles of the parts that are read next to know the text; none when it is known."""
    apart = [part for part in leaves(root) if part.body is None and _is_text(part, root)]
    if not apart or message_text(root) is not None:
        return []
    plain = [part for part in apart if part.type == "text/plain"]
    return [part.attachment_id for part in plain or apart]


def with_data(part: MimePart, data: dict[str, bytes]) -> MimePart:
    """Put fetched bytes, by attachment id, in their places."""
    if part.parts:
        return replace(part, parts=tuple(with_data(inner, data) for inner in part.parts))
    if part.body is None and part.attachment_id in data:
        body = data[part.attachment_id]
        return replace(part, body=body, size=len(body))
    return part


def _from_raw(answer: MessageAnswer, known: _Known) -> Message:
    if answer.raw is None:
        raise Unavailable("messages.get answered without the raw message")
    # One size in every format, or a verdict could change when more is fetched.
    size = len(answer.raw) if answer.size is None else answer.size
    return mime.to_message(mime.parse(answer.raw), **known, size=size, content=True)


def _from_tree(root: MimePart, known: _Known, size: int | None, text: bool) -> Message:
    # The tree tells of every attachment, also where the message is one part that is not held.
    bare = root.body is None and not root.parts
    whole = replace(root, body=b"") if bare else root
    message = mime.to_message(whole, **known, size=size, content=False, text=text)
    if not text:
        return message
    if bare and message_text(root) is None:
        message = replace(message, _text=None)
    if message._text is None and not unloaded_texts(root):
        return replace(message, unreadable=((Need.BODY, "the service gives no text"),))
    return message


def _sealed(message: Message, root: MimePart | None = None) -> Message:
    """Mark a message that Zoom's servers encrypted: nothing but its headers can be read."""
    types = [part.type for part in leaves(root)] if root else []
    types += [attachment.type for attachment in message._attachments or ()]
    sealed = any(kind.startswith(_ENCRYPTED_TYPE) for kind in types)
    if sealed or "X-Zoom-Encryption" in message.headers:
        return replace(message, unreadable=ENCRYPTED)
    return message


def _is_text(part: MimePart, root: MimePart) -> bool:
    """Tell whether a part can belong to the text and can be fetched."""
    if part.type not in ("text/plain", "text/html") or not part.attachment_id:
        return False
    return part is root or not is_attachment(part)


def _moment(milliseconds: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds > 0 else None
    except (OverflowError, ValueError, OSError):
        return None
