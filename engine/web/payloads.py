"""The JSON of a call: read within bounds, its files taken out, the rest kept as it was written."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from engine.errors import Malformed
from engine.flow.written import dump, load, no_number
from engine.mail.bodies import ANY_TYPE, File, file_name

MAX_DEPTH = 100
MAX_FILES = 20
FILES = "attachments"


def read_payload(body: bytes) -> tuple[str, Any]:
    """Read a body as JSON text and value: a map or a list. Raises Malformed, which holds nothing of it."""
    try:
        text = body.decode("utf-8-sig")
        value = json.loads(text, parse_constant=no_number)
        if "\\u" in text:  # Half a sign, as `\\ud800` is, is no text.
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise Malformed("the body is no JSON in UTF-8, or nested too deeply") from None
    if not isinstance(value, dict | list):
        raise Malformed("the body is neither a map nor a list")
    if text.count("[") + text.count("{") > MAX_DEPTH and _depth(value) > MAX_DEPTH:
        raise Malformed(f"the body is nested more than {MAX_DEPTH} levels deep")
    return text, value


def take_files(text: str, limit: int) -> tuple[str, tuple[File, ...]]:
    """Take the files in `attachments` out of a map; name, type and size of each stay. Raises Malformed."""
    value = load(text)
    if not isinstance(value, dict) or FILES not in value:
        return text, ()
    files = read_files(value[FILES], limit)
    value[FILES] = [{"name": one.name, "type": one.type, "size": len(one.content)} for one in files]
    return dump(value), files


def read_files(listed: Any, limit: int) -> tuple[File, ...]:
    """Read files as `{name, type, content}`, content in base64, of at most `limit` bytes together."""
    if not isinstance(listed, list) or len(listed) > MAX_FILES:
        raise Malformed(f"{FILES} is a list of at most {MAX_FILES} files")
    files = tuple(_file(one, f"{FILES}[{number}]") for number, one in enumerate(listed))
    if sum(len(one.content) for one in files) > limit:
        raise Malformed(f"{FILES} hold more than {limit:,} bytes")
    return files


def _file(said: Any, where: str) -> File:
    if not isinstance(said, dict) or not {"name", "content"} <= said.keys() <= {"name", "type", "content"}:
        raise Malformed(f"{where} is a map of name, type and content")
    name, kind = said["name"], said.get("type", ANY_TYPE)
    if not isinstance(name, str) or not isinstance(kind, str) or not isinstance(said["content"], str):
        raise Malformed(f"{where}: name, type and content are texts")
    try:
        content = base64.b64decode(said["content"], validate=True)
    except (binascii.Error, ValueError):
        raise Malformed(f"{where}.content is no base64") from None
    return File(file_name(name), kind[:200], content)


def _depth(value: Any) -> int:
    depth, layer = 0, [value]
    while layer and depth <= MAX_DEPTH:
        depth += 1
        layer = [
            inner
            for one in layer
            for inner in (one.values() if isinstance(one, dict) else one)
            if isinstance(inner, dict | list)
        ]
    return depth if not layer else depth + 1
