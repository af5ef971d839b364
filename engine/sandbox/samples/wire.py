"""Putting raw messages together byte by byte, the odd ones as well: no library stands between."""

from __future__ import annotations

import base64
import hashlib
import quopri
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import quote

Value = str | bytes
Sample = tuple[str, bytes]

SUPPORT, SALES = "support@acme.example", "sales@acme.example"
TO_SUPPORT, TO_SALES = f"Acme Support <{SUPPORT}>", f"Acme Sales <{SALES}>"
FIRST_DAY = datetime(2026, 1, 5, 7, 0, tzinfo=UTC)
MINUTES = 60 * 24 * 60
"""The samples were written within sixty days."""


@dataclass(frozen=True, slots=True)
class Part:
    """One MIME part as it stands on the wire: its Content fields, then its body."""

    fields: tuple[tuple[str, Value], ...]
    body: bytes

    def with_fields(self, *fields: tuple[str, Value]) -> Part:
        return Part(self.fields + fields, self.body)


def word(text: str, charset: str = "utf-8", encoding: str = "b") -> str:
    """Make one encoded word of a text (RFC 2047)."""
    data = text.encode(charset)
    if encoding == "b":
        return f"=?{charset}?B?{base64.b64encode(data).decode()}?="
    coded = quopri.encodestring(data, quotetabs=True, header=True).replace(b"=\n", b"").replace(b"?", b"=3F")
    return f"=?{charset}?Q?{coded.decode()}?="


def encoded(data: bytes, cte: str) -> bytes:
    """Apply a transfer encoding; 7bit, 8bit and binary leave the bytes alone."""
    if cte == "base64":
        return base64.encodebytes(data).replace(b"\n", b"\r\n")
    if cte == "quoted-printable":
        return crlf(quopri.encodestring(data.replace(b"\r\n", b"\n")))
    return data


def crlf(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def text(
    content: str, charset: str = "utf-8", cte: str = "8bit", subtype: str = "plain", params: str = ""
) -> Part:
    """Make a text part; no charset is declared when it is called "none"."""
    declared = "" if charset == "none" else f"; charset={charset}"
    data = content.encode("utf-8" if charset == "none" else charset)
    raw = data if charset.lower().startswith("utf-16") else crlf(data)
    return Part(
        (("Content-Type", f"text/{subtype}{declared}{params}"), ("Content-Transfer-Encoding", cte)),
        encoded(raw, cte),
    )


def html(content: str, charset: str = "utf-8", cte: str = "quoted-printable") -> Part:
    return text(f"<!DOCTYPE html><html><body>{content}</body></html>\n", charset, cte, "html")


def multi(
    subtype: str,
    *parts: Part,
    params: str = "",
    preamble: bytes = b"",
    epilogue: bytes = b"",
    closed: bool = True,
) -> Part:
    """Make a multipart; not `closed` leaves the last boundary out, as cut-off mail does."""
    boundary = (
        "=_" + hashlib.sha256(subtype.encode() + b"".join(part.body for part in parts)).hexdigest()[:24]
    )
    line = boundary.encode()
    body = preamble + b"".join(b"\r\n--%b\r\n%b" % (line, on_wire(part)) for part in parts)
    end = b"\r\n--%b--\r\n" % line if closed else b""
    return Part(
        (("Content-Type", f'multipart/{subtype}; boundary="{boundary}"{params}'),), body + end + epilogue
    )


def both(plain: str, rich: str) -> Part:
    """Make the usual pair of a text and an HTML body."""
    return multi("alternative", text(plain, cte="quoted-printable"), html(rich))


def attached(name: str, kind: str, data: bytes, style: str = "plain", cte: str = "base64") -> Part:
    """Attach a file, its name written as senders do: see `_disposition`."""
    return Part(
        (
            ("Content-Type", kind if style != "name" else f'{kind}; name="{name}"'),
            ("Content-Transfer-Encoding", cte),
            ("Content-Disposition", _disposition(name, style)),
        ),
        encoded(data, cte),
    )


def _disposition(name: str, style: str) -> str:
    if style == "extended":  # RFC 2231, section 4
        return f"attachment; filename*=UTF-8''{quote(name)}"
    if style == "continued":  # RFC 2231, section 3
        half = len(name) // 2
        return f'attachment;\r\n filename*0="{name[:half]}";\r\n filename*1="{name[half:]}"'
    if style == "word":  # against RFC 2047, section 5, and common
        return f'attachment; filename="{word(name)}"'
    return "attachment" if style in {"name", "bare"} else f'attachment; filename="{name}"'


def inline(cid: str, kind: str, data: bytes) -> Part:
    """Embed an image that the HTML names as `cid:`."""
    return Part(
        (
            ("Content-Type", kind),
            ("Content-Transfer-Encoding", "base64"),
            ("Content-ID", f"<{cid}>"),
            ("Content-Disposition", "inline"),
        ),
        encoded(data, "base64"),
    )


def forwarded(raw: bytes) -> Part:
    return Part((("Content-Type", "message/rfc822"), ("Content-Disposition", "attachment")), raw)


def on_wire(part: Part) -> bytes:
    return b"".join(_line(name, value) for name, value in part.fields) + b"\r\n" + part.body


def _line(name: str, value: Value) -> bytes:
    return name.encode() + b": " + (value if isinstance(value, bytes) else value.encode()) + b"\r\n"


def when(name: str, later: int = 0) -> datetime:
    """Give a sample its moment, the same each time; `later` counts minutes."""
    return FIRST_DAY + timedelta(minutes=zlib.crc32(name.encode()) % MINUTES + later)


def message_id(name: str, domain: str) -> str:
    return f"<{name.replace('/', '.')}@{domain}>"


def mail(
    name: str,
    sender: Value,
    subject: Value | None,
    part: Part,
    *,
    to: Value | None = TO_SUPPORT,
    extra: Sequence[tuple[str, Value]] = (),
    without: Iterable[str] = (),
    date: datetime | None = None,
) -> Sample:
    """Write a message with the fields that most mail has; `without` leaves some of them out."""
    domain = (
        sender.rpartition("@")[2].rstrip("> ")
        if isinstance(sender, str) and "@" in sender
        else "mail.example"
    )
    fields: list[tuple[str, Value | None]] = [
        ("From", sender),
        ("To", to),
        ("Subject", subject),
        ("Date", format_datetime(date or when(name))),
        ("Message-ID", message_id(name, domain)),
        *extra,
        ("MIME-Version", "1.0"),
        *part.fields,
    ]
    left_out = {field.lower() for field in without}
    head = b"".join(
        _line(field, value) for field, value in fields if value is not None and field.lower() not in left_out
    )
    return f"{name}.eml", head + b"\r\n" + part.body
