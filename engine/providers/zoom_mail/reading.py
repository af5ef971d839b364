"""A message as Zoom Mail gives it, into the message that rules read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

from engine.errors import Unavailable
from engine.flow.ports import Fellow
from engine.mail import mime
from engine.mail.headers import Headers
from engine.mail.message import Message
from engine.mail.mime import MimePart
from engine.mail.needs import Need, Needs
from engine.mail.params import filename, parameters
from engine.mail.text import message_text
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


def to_message(
    answer: MessageAnswer, mailbox: str, labels: Iterable[str], format_: str, *, text: bool = True
) -> Message:
    """Give the message with all that a format brings, of a full one the text only if asked for.

    Raises Unavailable if the format's part is missing.
    """
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
    return _sealed(_from_tree(answer.payload, known, text), answer.payload)


def to_fellow(answer: MessageAnswer) -> Fellow:
    return Fellow(answer.id, _moment(answer.internal_date), frozenset(answer.labels))


def unloaded_texts(payload: Part) -> list[str]:
    """List the handles of the parts that are read next to know the text; none when it is known."""
    apart = [part for part in _leaves(payload) if part.body.data is None and _is_text(part, payload)]
    if not apart or message_text(to_mime(payload)) is not None:
        return []
    plain = [part for part in apart if _kind(part) == "text/plain"]
    return [part.body.attachment for part in plain or apart]


def with_data(part: Part, data: dict[str, bytes]) -> Part:
    """Put fetched bytes, by attachment id, in their places."""
    body = part.body
    if body.data is None and body.attachment in data:
        body = body.model_copy(update={"data": data[body.attachment]})
    parts = tuple(with_data(inner, data) for inner in part.parts)
    return part.model_copy(update={"body": body, "parts": parts})


def headers_of(part: Part) -> Headers:
    return Headers(part.headers)


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


def _from_tree(payload: Part, known: Message, text: bool) -> Message:
    root = to_mime(payload)
    # The tree tells of every attachment, also where the message is one part that is not held.
    bare = root.body is None and not root.parts
    message = mime.to_message(
        replace(root, body=b"") if bare else root,
        key=known.key,
        mailbox=known.mailbox,
        thread=known.thread,
        labels=known.labels,
        received=known.received,
        size=known._size,
        content=False,
        text=text,
    )
    if not text:
        return message
    if bare and message_text(root) is None:
        message = replace(message, _text=None)
    if message._text is None and not unloaded_texts(payload):
        return replace(message, unreadable=((Need.BODY, "the service gives no text"),))
    return message


def to_mime(part: Part) -> MimePart:
    """Give a node of the tree as the MIME part that it stands for."""
    # A forwarded message is one attachment, however far the service takes it apart.
    inner = () if _kind(part) == "message/rfc822" else part.parts
    headers, body = headers_of(part), part.body
    empty = b"" if not body.size and not body.attachment else None
    data = empty if body.data is None else body.data
    return MimePart(
        headers=headers,
        type=_kind(part),
        filename=_filename(headers) or part.filename,
        body=None if inner else data,
        size=body.size if data is None else len(data),
        parts=tuple(to_mime(child) for child in inner),
        attachment_id=body.attachment,
    )


def _kind(part: Part) -> str:
    return part.type.strip().lower() or ("multipart/mixed" if part.parts else "text/plain")


def _filename(headers: Headers) -> str:
    """Read the name ourselves, so that it is the same when the whole message is read later."""
    disposition, declared = (
        parameters((*headers.all(name), "")[0]) for name in ("Content-Disposition", "Content-Type")
    )
    return filename(disposition, declared)


def _sealed(message: Message, payload: Part | None = None) -> Message:
    """Mark a message that Zoom's servers encrypted: nothing but its headers can be read."""
    types = [part.type for part in _leaves(payload)] if payload else []
    types += [attachment.type for attachment in message._attachments or ()]
    sealed = any(kind.strip().lower().startswith(_ENCRYPTED_TYPE) for kind in types)
    if sealed or "X-Zoom-Encryption" in message.headers:
        return replace(message, unreadable=ENCRYPTED)
    return message


def _leaves(part: Part) -> Iterator[Part]:
    if not part.parts or _kind(part) == "message/rfc822":
        yield part
        return
    for inner in part.parts:
        yield from _leaves(inner)


def _is_text(part: Part, root: Part) -> bool:
    """Tell whether a part can belong to the text and can be fetched."""
    if _kind(part) not in ("text/plain", "text/html") or not part.body.attachment:
        return False
    return part is root or not mime.is_attachment(to_mime(part))


def _moment(milliseconds: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds > 0 else None
    except (OverflowError, ValueError, OSError):
        return None
