"""The JSON shapes of messages, parts, labels and profiles, as the OpenAPI file names them."""

from __future__ import annotations

import base64
from collections.abc import Collection, Iterator
from typing import Any

from engine.mail.headers import Headers, parse_headers
from engine.mail.mime import MimePart, is_attachment, parse
from engine.sandbox.failure import not_found
from engine.sandbox.labels import Label, level
from engine.sandbox.mailbox import Stored, labels_of, raw_of
from engine.sandbox.store import Mailbox, Store

Json = dict[str, Any]

INLINE = 64 * 1024
"""Text bodies up to this many bytes stand in the tree itself; the rest are fetched as attachments."""


def brief(store: Store, message: Stored) -> Json:
    """The answer of every call that changes a message."""
    return {**reference(message), "labelIds": sorted(labels_of(store, message))}


def reference(message: Stored) -> Json:
    """The entry of a list."""
    return {"id": message.id, "threadId": message.thread}


def full(store: Store, message: Stored, shape: str, wanted: Collection[str] = ()) -> Json:
    """One message in the `format` full, minimal, metadata or raw.

    `wanted` are the header names that metadata is narrowed to, all when empty.
    """
    answer = {
        **brief(store, message),
        "snippet": message.snippet,
        "historyId": str(message.history),
        "internalDate": str(message.date),
        "sizeEstimate": message.size,
    }
    if message.moved is not None:
        answer["lastMoved"] = str(message.moved)
    if message.send_time is not None:
        answer |= {"sendTime": str(message.send_time), "userScheduled": message.user_scheduled}
    if shape == "raw":
        answer["raw"] = encoded(raw_of(store, message))
    elif shape == "metadata":
        answer["payload"] = _head(raw_of(store, message), wanted)
    elif shape == "full":
        answer["payload"] = tree(parse(raw_of(store, message)), message.id)
    return answer


def tree(root: MimePart, message_id: str) -> Json:
    """The MIME tree; part ids are paths ("0.1"), attachment ids number all parts in reading order."""
    numbers = {id(part): number for number, part in enumerate(walk(root))}

    def shown(part: MimePart, path: str) -> Json:
        shape: Json = {
            "partId": path,
            "mimeType": part.type,
            "filename": part.filename,
            "headers": _headers(part.headers),
            "body": _body(part, f"{message_id}_{numbers[id(part)]}"),
        }
        if part.parts:
            inner = f"{path}." if path else ""
            shape["parts"] = [shown(child, f"{inner}{index}") for index, child in enumerate(part.parts)]
        return shape

    return shown(root, "")


def attachment(raw: bytes, message_id: str, attachment_id: str) -> Json:
    """The content of one part. Raises ApiError 404."""
    for number, part in enumerate(walk(parse(raw))):
        if attachment_id == f"{message_id}_{number}" and not part.parts:
            return {"attachmentId": attachment_id, "size": part.size, "data": encoded(part.body or b"")}
    raise not_found("The attachment")


def walk(part: MimePart) -> Iterator[MimePart]:
    """Every part in reading order, containers included."""
    yield part
    for child in part.parts:
        yield from walk(child)


def label(labels: dict[str, Label], shown: Label) -> Json:
    """A label without its counts."""
    return {
        "id": shown.id,
        "name": shown.name,
        "parentId": shown.parent,
        "labelLevel": level(labels, shown),
        "type": shown.kind,
        "labelListVisibility": "labelShow",
        "messageListVisibility": "show",
        **shown.shape,
    }


def counted(labels: dict[str, Label], shown: Label) -> Json:
    """A label with its counts."""
    return {
        **label(labels, shown),
        "messagesTotal": shown.total,
        "messagesUnread": shown.unread,
        "threadsTotal": shown.threads,
        "threadsUnread": shown.threads_unread,
    }


def profile(store: Store, box: Mailbox) -> Json:
    """A mailbox's profile."""
    sums = store.db.execute(
        "SELECT messages, threads, bytes FROM mailboxes WHERE row = ?", (box.row,)
    ).fetchone()
    return {
        "emailAddress": box.address,
        "groupEmails": list(box.groups),
        "aliases": [{"aliasEmail": alias, "description": ""} for alias in box.aliases],
        "createTime": box.created,
        "status": box.status,
        "mboxSize": sums["bytes"],
        "messagesTotal": sums["messages"],
        "threadsTotal": sums["threads"],
        "encryptionEnabled": False,
        "labelEncryptionEnabled": False,
        "historyId": str(box.history),
    }


def paged(name: str, entries: list[Json], more: str) -> Json:
    """A list's answer."""
    answer: Json = {name: entries, "resultSizeEstimate": len(entries)}
    return answer | {"nextPageToken": more} if more else answer


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode()


def _head(raw: bytes, wanted: Collection[str]) -> Json:
    headers = parse_headers(raw)
    names = {name.casefold() for name in wanted}
    type_ = headers.text("Content-Type").split(";")[0].strip().lower()
    return {
        "partId": "",
        "mimeType": type_ if "/" in type_ else "text/plain",
        "headers": [pair for pair in _headers(headers) if not names or pair["name"].casefold() in names],
    }


def _headers(headers: Headers) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers]


def _body(part: MimePart, attachment_id: str) -> Json:
    if part.parts or part.type.startswith("multipart/"):
        return {"size": 0}
    if part.type.startswith("text/") and not is_attachment(part) and part.size <= INLINE:
        return {"size": part.size, "data": encoded(part.body or b"")}
    return {"size": part.size, "attachmentId": attachment_id}
