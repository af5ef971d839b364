"""Parameters of Content-Type and Content-Disposition (RFC 2045, section 5.1; RFC 2231)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import islice
from urllib.parse import unquote_to_bytes

from engine.mail.charset import decode
from engine.mail.headers import Headers
from engine.mail.words import decode_words, tidy

MAX_PARAMS = 200
MAX_FILENAME = 1_000

_TYPE = re.compile(r"\s*([\w.+!#$&^-]{1,127})\s*/\s*([\w.+!#$&^-]{1,127})", re.ASCII)
_PARAM = re.compile(r';\s*+([^\s=;"]++)\s*+=\s*+(?:"((?:[^"\\]|\\.)*+)"?|([^;]*+))', re.S)
_QUOTED_PAIR = re.compile(r'\\(["\\])')
_SECTION = re.compile(r"(.+?)\*(?:(\d{1,3})(\*?))?", re.S)


def media_type(value: str) -> str:
    """Read the media type in lower case, "" when the field holds none."""
    match = _TYPE.match(value)
    return f"{match[1]}/{match[2]}".lower() if match else ""


def parameters(value: str) -> dict[str, str]:
    """Read parameters by lower-case name, RFC 2231 put together; the first of a name counts."""
    plain: dict[str, str] = {}
    sections: dict[str, dict[int, tuple[str, bool]]] = {}
    for match in islice(_PARAM.finditer(_with_semicolon(value)), MAX_PARAMS):
        name = match[1].lower()
        text = match[3].strip() if match[2] is None else _unquoted(match[2])
        section = _SECTION.fullmatch(name) if "*" in name else None
        if section is None:
            plain.setdefault(name, text)
        else:
            encoded = section[2] is None or bool(section[3])
            sections.setdefault(section[1], {}).setdefault(int(section[2] or 0), (text, encoded))
    return plain | {name: _joined(parts) for name, parts in sections.items()}


def part_name(headers: Headers) -> str:
    """Choose a part's file name, decoded; "" when it has none."""
    name = _parameter(headers, "Content-Disposition", "filename") or _parameter(
        headers, "Content-Type", "name"
    )
    return tidy(decode_words(name))[:MAX_FILENAME] if name else ""


def _parameter(headers: Headers, field: str, name: str) -> str:
    value = headers.first(field)
    return parameters(value).get(name, "") if name in value.lower() else ""


def _unquoted(text: str) -> str:
    return _QUOTED_PAIR.sub(r"\1", text) if "\\" in text else text


def _with_semicolon(value: str) -> str:
    """Mend `text/plain charset=x`, where the semicolon is forgotten."""
    match = _TYPE.match(value)
    if match and not value[match.end() :].lstrip().startswith(";"):
        return f";{value[match.end() :]}"
    return value


def _joined(parts: Mapping[int, tuple[str, bool]]) -> str:
    """Join the sections of one parameter; the first names the charset (RFC 2231, section 4.1)."""
    charset, data = "", bytearray()
    for number, (text, encoded) in sorted(parts.items()):
        value = text
        if encoded and number == 0 and text.count("'") >= 2:
            charset, _, value = text.split("'", 2)
        raw = value.encode("utf-8", "replace")
        data += unquote_to_bytes(raw) if encoded else raw
    return decode(bytes(data), charset)
