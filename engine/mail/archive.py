"""Mail that lies in files: one message, a folder, a Maildir, a zip, an mbox."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from engine.errors import PostroomError
from engine.mail.headers import parse_headers
from engine.mail.mbox import read_mbox

MAX_MESSAGE_BYTES = 128 * 1024 * 1024
_START = 1024
"""Bytes that tell what a file is."""
_ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")


@dataclass(frozen=True, slots=True)
class Archived:
    """One message of an archive, or why it could not be read."""

    name: str
    """Path within the archive; of a zip in a folder `zip/member`, of an mbox `file#index`, from 0."""
    raw: bytes = b""
    labels: frozenset[str] = frozenset()
    """What a Maildir's flags say; empty where the archive knows none."""
    error: str = ""


def read_archive(path: Path) -> Iterator[Archived]:
    """Give every message of an archive in its order. Raises PostroomError when nothing lies there."""
    if not path.exists():
        raise PostroomError(f"{path}: no such file or folder")
    return _folder(path) if path.is_dir() else _file(path, path.name)


def _folder(folder: Path) -> Iterator[Archived]:
    for path in [folder, *sorted(folder.rglob("*"))]:
        name = path.relative_to(folder).as_posix()
        if path.is_dir():
            if error := _closed(path, folder):
                yield Archived(name, error=error)
        elif path.name.startswith(".") or _is_maildir(path.parent):
            continue
        elif _is_maildir(path.parent.parent) and path.parent.name in ("cur", "new", "tmp"):
            if path.parent.name != "tmp":
                yield _whole(path, name, _flags(path.name))
        else:
            yield from _file(path, name, f"{name}/")


def _closed(path: Path, top: Path) -> str:
    """Say why a folder is not gone into, "" if it is."""
    if path != top and path.is_symlink():
        return "a link to a folder, which is not followed"
    return "" if os.access(path, os.R_OK | os.X_OK) else "Permission denied"


def _is_maildir(folder: Path) -> bool:
    return (folder / "cur").is_dir() and (folder / "new").is_dir()


def _flags(name: str) -> frozenset[str]:
    """Read a Maildir file's flags (`name:2,FS`) as labels."""
    flags = name.rpartition(":2,")[2] if ":2," in name else ""
    labels = {"TRASH" if "T" in flags else "INBOX"}
    return frozenset(
        labels | ({"STARRED"} if "F" in flags else set()) | (set() if "S" in flags else {"UNREAD"})
    )


def _file(path: Path, name: str, prefix: str = "") -> Iterator[Archived]:
    """Read a file as what its first bytes say it is; `prefix` stands before the members of a zip."""
    if why := _no_file(path):
        yield Archived(name, error=why)
        return
    try:
        with path.open("rb") as stream:
            start = stream.peek(_START)[:_START]
            if start.startswith(_ZIP_MAGIC):
                yield from _zip(stream, name, prefix)
            else:
                yield from _mail(stream, start, name)
    except OSError as error:
        yield Archived(name, error=error.strerror or str(error))


def _no_file(path: Path) -> str:
    if path.is_symlink() and not path.exists():
        return "a link that leads nowhere"
    return "" if path.is_file() else "neither a file nor a folder"


def _mail(stream: BinaryIO, start: bytes, name: str) -> Iterator[Archived]:
    """Read one message or an mbox; what is called .eml is always a single message."""
    suffix = PurePosixPath(name).suffix.lower()
    if suffix == ".mbox" and not start:
        return
    if start.lstrip(b"\r\n").startswith(b"From ") and suffix != ".eml":
        for index, raw in enumerate(read_mbox(stream, MAX_MESSAGE_BYTES)):
            yield _archived(f"{name}#{index}", raw)
    else:
        yield _bounded(stream, name)


def _whole(path: Path, name: str, labels: frozenset[str]) -> Archived:
    if why := _no_file(path):
        return Archived(name, error=why)
    try:
        with path.open("rb") as stream:
            return _bounded(stream, name, labels)
    except OSError as error:
        return Archived(name, error=error.strerror or str(error))


def _bounded(stream: BinaryIO, name: str, labels: frozenset[str] = frozenset()) -> Archived:
    raw = stream.read(MAX_MESSAGE_BYTES + 1)
    return _archived(name, raw if len(raw) <= MAX_MESSAGE_BYTES else None, labels)


def _archived(name: str, raw: bytes | None, labels: frozenset[str] = frozenset()) -> Archived:
    """Make an entry of what was read, None being too much; what has no header field is no mail."""
    if raw is None:
        return Archived(name, error=f"larger than {MAX_MESSAGE_BYTES} bytes")
    if not raw.strip():
        return Archived(name, error="empty")
    if not any(field.isascii() for field, _ in parse_headers(raw)):
        return Archived(name, error="no mail: it does not begin with header fields")
    return Archived(name, raw, labels)


def _zip(stream: BinaryIO, name: str, prefix: str) -> Iterator[Archived]:
    try:
        archive = zipfile.ZipFile(stream)
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        yield Archived(name, error=f"broken zip: {error}")
        return
    with archive:
        for member in archive.infolist():
            path = PurePosixPath(member.filename)
            if not (member.is_dir() or path.name.startswith(".") or "__MACOSX" in path.parts):
                yield from _member(archive, member, prefix + member.filename)


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> Iterator[Archived]:
    """Read one member; the size of a message is bounded, whatever the directory claims."""
    try:
        with archive.open(member) as packed, io.BufferedReader(packed) as stream:  # type: ignore[type-var]
            yield from _mail(stream, stream.peek(_START)[:_START], name)
    except Exception as error:  # noqa: BLE001 -- zipfile and its decompressors raise half a dozen unrelated kinds
        yield Archived(name, error=f"cannot be unpacked: {error}")
