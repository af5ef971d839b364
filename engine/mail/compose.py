"""Outgoing mail: from plain values to the bytes that are sent, the same bytes each time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.header import Header
from email.utils import format_datetime

from engine.mail.address import MAX_ADDRESS_TEXT, Address, normal_domain
from engine.mail.bodies import File, UnsendableError, make_body
from engine.mail.message import Message

__all__ = [
    "File",
    "Outgoing",
    "ReplyHeaders",
    "UnsendableError",
    "answer_to",
    "compose",
    "is_free_field",
    "is_sendable",
    "reply_headers",
]

LINE = 76
"""Characters of a header line before it is folded (RFC 5322, section 2.1.1)."""
MAX_REFERENCES = 20
MAX_NAME = 200
"""Characters of a display name; a longer one is cut off."""
_MESSAGE_ID = re.compile(r"<[^<>\s\x00-\x20\x7f-\U0010ffff]{1,400}>")
_FIELD_NAME = re.compile(r"[!-9;-~]{1,76}")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029\ud800-\udfff]+")
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}|\"[ !#-\[\]-~]{1,62}\"")
_DOMAIN = re.compile(r"(?=.{1,253}\Z)(?:[A-Za-z0-9-]{1,63}(?:\.|\Z))+|\[[0-9A-Fa-f.:]{1,60}\]")
"""Lengths after RFC 1035, section 2.3.4, less what the wire format adds."""
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")
OURS = frozenset(
    {"from", "to", "cc", "bcc", "subject", "date", "message-id", "in-reply-to", "references", "reply-to"}
    | {"sender", "return-path", "received", "auto-submitted", "delivered-to", "dkim-signature"}
)
"""Fields that are written here or on the way, and that nobody adds; nor what begins as below."""
OURS_BEGIN = ("content-", "mime-", "resent-", "arc-")


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A mail to be sent; `date` has a zone, `message_id` its angle brackets."""

    from_: Address
    to: tuple[Address, ...]
    subject: str
    text: str
    html: str
    message_id: str
    date: datetime
    cc: tuple[Address, ...] = ()
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    reply_to: tuple[Address, ...] = ()
    files: tuple[File, ...] = ()
    auto: str = ""
    """`auto-replied`, `auto-generated`, or "" for what a person sends (RFC 3834, section 5)."""


@dataclass(frozen=True, slots=True)
class ReplyHeaders:
    """How an answer names what it answers; `to` is None when there is nobody to answer."""

    subject: str
    in_reply_to: str
    references: tuple[str, ...]
    to: Address | None


def reply_headers(message: Message) -> ReplyHeaders:
    """Make the fields of an answer (RFC 5322, sections 3.6.2, 3.6.4 and 3.6.5)."""
    parent = _ids([message.message_id])[:1]
    known = _ids(message.headers.all("References")) or _ids(message.headers.all("In-Reply-To"))[:1]
    thread = [*(known_id for known_id in known if known_id not in parent), *parent]
    subject = message.subject
    return ReplyHeaders(
        subject=subject if subject.lower().startswith("re:") else f"Re: {subject}".rstrip(),
        in_reply_to="".join(parent),
        references=tuple(thread[:1] + thread[1:][1 - MAX_REFERENCES :]),
        to=answer_to(message),
    )


def answer_to(message: Message) -> Address | None:
    """Take one address alone: a list in Reply-To would let one mail set off many."""
    wanted = (*message.addresses("Reply-To"), *message.addresses("From"))
    return next((address for address in wanted if is_sendable(address)), None)


def is_sendable(address: Address) -> bool:
    """Say whether mail can be written to an address: a local part and a domain of plain signs."""
    local, _, _ = address.address.rpartition("@")
    return bool(_LOCAL.fullmatch(local) and _DOMAIN.fullmatch(normal_domain(address.domain)))


def compose(mail: Outgoing) -> bytes:
    """Write a mail as RFC 5322 bytes with CRLF, 7-bit throughout. Raises UnsendableError."""
    lines = [f"{name}: {value}\r\n" for name, value in _fields(mail)]
    body = make_body(mail.text, mail.html, mail.message_id, mail.files)
    return "".join(lines).encode("ascii") + body.as_bytes()


def _fields(mail: Outgoing) -> Iterator[tuple[str, str]]:
    yield "From", _address(mail.from_, "From")
    yield from _recipients(mail)
    if mail.reply_to:
        yield "Reply-To", _listed(mail.reply_to, "Reply-To")
    yield "Subject", _text("Subject", mail.subject)
    yield "Date", format_datetime(mail.date)
    yield "Message-ID", _one_id(mail.message_id, "Message-ID")
    if mail.in_reply_to:
        yield "In-Reply-To", _one_id(mail.in_reply_to, "In-Reply-To")
    if references := _ids(mail.references):
        yield "References", "\r\n ".join(references)
    if mail.auto:
        yield "Auto-Submitted", _text("Auto-Submitted", mail.auto)
    for name, value in mail.headers.items():
        yield _free_name(name), _text(name, value)


def _recipients(mail: Outgoing) -> Iterator[tuple[str, str]]:
    if not mail.to and not mail.cc:
        raise UnsendableError("there is nobody to send to")
    for name, addresses in (("To", mail.to), ("Cc", mail.cc)):
        if addresses:
            yield name, _listed(addresses, name)


def _listed(addresses: Iterable[Address], name: str) -> str:
    text = ",\r\n ".join(_address(address, name) for address in addresses)
    if len(text) > MAX_ADDRESS_TEXT:  # Whoever reads it back, as the gate does, would miss some.
        raise UnsendableError(f"{name} has {len(text):,} characters, more than {MAX_ADDRESS_TEXT:,}")
    return text


def is_free_field(name: str) -> bool:
    """Say whether a header field of that name may be added to a mail."""
    lower = name.lower()
    return bool(_FIELD_NAME.fullmatch(name)) and lower not in OURS and not lower.startswith(OURS_BEGIN)


def _free_name(name: str) -> str:
    if not is_free_field(name):
        raise UnsendableError(f"{name!r} is no header field that can be added")
    return name


def _text(name: str, value: str) -> str:
    """Fold a text; encode it where it is not plain ASCII (RFC 2047, section 5). Line breaks become blanks."""
    line = _CONTROLS.sub(" ", value).strip()
    plain = line.isascii() and "=?" not in line and max(map(len, line.split(" "))) < LINE
    coded = Header(line, "us-ascii" if plain else "utf-8", maxlinelen=LINE, header_name=name)
    return coded.encode(splitchars=" ", linesep="\r\n")


def _address(address: Address, name: str) -> str:
    if not is_sendable(address):
        raise UnsendableError(f"{name} holds no address that can be written to")
    local, _, _ = address.address.rpartition("@")
    domain = normal_domain(address.domain)
    return f"{phrase} <{local}@{domain}>" if (phrase := _phrase(address.name, name)) else f"{local}@{domain}"


def _phrase(text: str, name: str) -> str:
    """Write a display name as atoms, a quoted string or encoded words (RFC 5322, section 3.2.5)."""
    line = " ".join(_CONTROLS.sub(" ", text).split())[:MAX_NAME].rstrip()
    if not line.isascii() or "=?" in line or len(line) > LINE // 2:
        return Header(line, "utf-8", maxlinelen=LINE, header_name=name).encode(linesep="\r\n")
    if _ATOMS.fullmatch(line):
        return line
    return '"' + line.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _ids(values: Iterable[str]) -> list[str]:
    """Find the message ids of a field, each once, in order."""
    return list(dict.fromkeys(found for value in values for found in _MESSAGE_ID.findall(value[:100_000])))


def _one_id(value: str, name: str) -> str:
    if not _MESSAGE_ID.fullmatch(value):
        raise UnsendableError(f"{name} is not one message id in angle brackets")
    return value
