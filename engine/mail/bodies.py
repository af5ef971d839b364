"""The body of an outgoing mail: text, HTML, images shown in it, attached files; the same bytes each time."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from email.headerregistry import HeaderRegistry
from email.message import EmailMessage
from email.policy import SMTP

from engine.errors import PostroomError

MAX_FILES = 50
MAX_FILES_SIZE = 20_000_000
"""Bytes of all files of one mail; in base64 they are a third more, and most servers take 25 to 35 MB."""
MAX_NAME = 120
LONGEST_LINE = 998
"""RFC 5322, section 2.1.1."""
ANY_TYPE = "application/octet-stream"
_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,62}/[a-z0-9][a-z0-9!#$&^_.+-]{0,62}")
_CONTENT_ID = re.compile(r"[A-Za-z0-9._-]{1,100}@[A-Za-z0-9.-]{1,100}")
_NOT_IN_NAMES = re.compile(r'[\x00-\x1f\x7f\x85\u2028\u2029\ud800-\udfff/\\:*?"<>|]+')


class _Fields(HeaderRegistry):
    """Makes the class of each field once; the library makes one for each field of each mail."""

    def __init__(self) -> None:
        super().__init__()
        self._made: dict[str, type] = {}

    def __getitem__(self, name: str) -> type:
        kind = name.lower()
        if kind not in self._made:
            self._made[kind] = super().__getitem__(name)
        return self._made[kind]


_MIME = SMTP.clone(cte_type="7bit", header_factory=_Fields())


class UnsendableError(PostroomError):
    """These values cannot become a mail; the message names the field."""


@dataclass(frozen=True, slots=True)
class File:
    """A file that goes with a mail; `id` is the Content-ID by which the HTML shows it, without brackets."""

    name: str
    type: str
    content: bytes
    id: str = ""


def make_body(text: str, html: str, seed: str, files: Sequence[File]) -> EmailMessage:
    """Write the bodies and files of a mail, 7-bit; `seed` is its Message-ID. Raises UnsendableError.

    Images that bear an id are related to the HTML (RFC 2387), the others are attached (RFC 2183).
    """
    _bounded(files)
    body = EmailMessage(policy=_MIME)
    body.set_content(_sendable(text), subtype="plain")
    body.add_alternative(_sendable(html), subtype="html")
    for file in files:
        if file.id:
            _relate(body, file)
    for file in files:
        if not file.id:
            _attach(body, file)
    _set_boundaries(body, "\0".join((seed, text, html)))
    return body


def file_name(name: str) -> str:
    """Make a name of any text: one line, no path, nothing that a file system refuses."""
    clean = " ".join(_NOT_IN_NAMES.sub(" ", name).split()).strip(". ")
    if len(clean) > MAX_NAME:
        stem, dot, suffix = clean.rpartition(".")
        ending = f"{dot}{suffix}" if stem and len(suffix) < 10 else ""
        clean = clean[: MAX_NAME - len(ending)].rstrip() + ending
    return clean or "file"


def _bounded(files: Sequence[File]) -> None:
    if len(files) > MAX_FILES:
        raise UnsendableError(f"has {len(files)} files, more than {MAX_FILES}")
    if (size := sum(len(file.content) for file in files)) > MAX_FILES_SIZE:
        raise UnsendableError(f"its files have {size:,} bytes, more than {MAX_FILES_SIZE:,}")


def _relate(body: EmailMessage, file: File) -> None:
    if not _CONTENT_ID.fullmatch(file.id):
        raise UnsendableError("Content-ID is not one id such as logo@acme.example")
    html = body.get_body(("html",))
    if html is None:
        raise UnsendableError("there is no HTML to show an image in")
    related = next((part for part in body.walk() if part.get_content_type() == "multipart/related"), html)
    kind, subtype = _type(file)
    related.add_related(
        file.content,
        maintype=kind,
        subtype=subtype,
        cid=f"<{file.id}>",
        filename=file_name(file.name),
        disposition="inline",
    )


def _attach(body: EmailMessage, file: File) -> None:
    kind, subtype = _type(file)
    name = file_name(file.name)
    if (kind, subtype) == ("message", "rfc822"):
        body.add_attachment(b"", maintype="application", subtype="octet-stream", filename=name)
        part = list(body.iter_attachments())[-1]
        del part["Content-Type"], part["Content-Transfer-Encoding"]
        part["Content-Type"] = "message/rfc822"
        part["Content-Transfer-Encoding"] = "7bit"
        part.set_payload("\r\n".join(file.content.decode("ascii").splitlines()) + "\r\n")
    else:
        body.add_attachment(file.content, maintype=kind, subtype=subtype, filename=name)


def _type(file: File) -> tuple[str, str]:
    """Give a type that may be encoded in base64; a message must not be (RFC 2046, section 5.2.1)."""
    declared = file.type.lower()
    kind, _, subtype = (declared if _TYPE.fullmatch(declared) else ANY_TYPE).partition("/")
    if declared == "message/rfc822" and _is_plain(file.content):
        return kind, subtype
    return ("application", "octet-stream") if kind in ("message", "multipart") else (kind, subtype)


def _is_plain(content: bytes) -> bool:
    """Whether bytes may travel as they are: ASCII, no NUL, no long line."""
    lines = content.splitlines()
    return content.isascii() and b"\0" not in content and max(map(len, lines), default=0) <= LONGEST_LINE


def _set_boundaries(body: EmailMessage, seed: str) -> None:
    """No text can foresee its own boundary, and no base64 holds one."""
    nested = (
        part for part in body.walk() if part.is_multipart() and part.get_content_maintype() == "multipart"
    )
    for number, part in enumerate(nested):
        drawn = hashlib.sha256(f"{number or ''}{seed}".encode("utf-8", "replace")).hexdigest()
        part.set_boundary(f"=_{drawn[:32]}")


def _sendable(text: str) -> str:
    """Take out what no charset can carry; the library makes the line ends."""
    clean = text.encode("utf-8", "replace").decode()
    return clean.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")
