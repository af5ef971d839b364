"""The MIME tree of an answer, read at one go: models of its nodes made a message take a third longer."""

from __future__ import annotations

from typing import Any

from engine.mail.headers import Headers
from engine.mail.mime import MimePart
from engine.mail.params import part_name
from engine.providers.zoom_mail.values import decode_base64url, number, word


def read_part(value: object) -> MimePart:
    """Read a node and all below it, as leniently as models are read. Raises ValueError."""
    node = _map(value)
    parts = [read_part(inner) for inner in _list(node.get("parts"))]
    kind = word(node.get("mimeType")).strip().lower() or ("multipart/mixed" if parts else "text/plain")
    headers = Headers(map(_field, _list(node.get("headers"))))
    own_name = word(node.get("filename"))
    body, size, handle = _body(_map({} if node.get("body") is None else node["body"]))
    # A forwarded message is one attachment, however far the service takes it apart.
    inner = () if kind == "message/rfc822" else tuple(parts)
    # The name is read by ourselves first, so that it is the same when the whole message is read later.
    name = part_name(headers) or own_name
    return MimePart(headers, kind, name, None if inner else body, size, inner, handle)


def _body(value: dict[str, Any]) -> tuple[bytes | None, int, str]:
    """Give a node's bytes, None where they are not held, with their number and their handle."""
    size, handle, data = number(value.get("size")), word(value.get("attachmentId")), value.get("data")
    if data is not None:
        body = decode_base64url(data)
        return body, len(body), handle
    return (None, size, handle) if size or handle else (b"", 0, "")


def _field(value: object) -> tuple[str, str]:
    field = _map(value)
    return word(field.get("name")), word(field.get("value"))


def _map(value: object) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    raise ValueError("not a map")


def _list(value: object) -> list[Any]:
    if isinstance(value, list):
        return value
    if value is None:
        return []
    raise ValueError("not a list")
