"""Mail that lies in files: one message, a folder, a Maildir, a zip, an mbox."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from engine.errors import PostroomError
from engine.mail.mbox import read_mbox

MAX_MESSAGE_BYTES = 128 * 1024 * 1024
_ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")


@dataclass(frozen=True, slots=True)
class Archived:
    """One message of an archive, or why it could not be read."""

    name: str
    """Path within the archive; of an mbox `file#index`, from 0."""
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
    for path in sorted(folder.rglob("*")):
        if path.name.startswith(".") or not path.is_file():
            continue
        name = path.relative_to(folder).as_posix()
        if _is_maildir(path.parent):
            continue
        if _is_maildir(path.parent.parent) and path.parent.name in ("cur", "new", "tmp"):
            if path.parent.name != "tmp":
                yield _whole(path, name, _flags(path.name))
        else:
            yield from _file(path, name)


def _is_maildir(folder: Path) -> bool:
    return (folder / "cur").is_dir() and (folder / "new").is_dir()


def _flags(name: str) -> frozenset[str]:
    """Read a Maildir file's flags (`name:2,FS`) as labels."""
    flags = name.rpartition(":2,")[2] if ":2," in name else ""
    labels = {"TRASH" if "T" in flags else "INBOX"}
    return frozenset(
        labels | ({"STARRED"} if "F" in flags else set()) | (set() if "S" in flags else {"UNREAD"})
    )


def _file(path: Path, name: str) -> Iterator[Archived]:
    """Tell by its first bytes what a file is; one called .eml is always a single message."""
    try:
        with path.open("rb") as stream:
            start = stream.read(5)
            stream.seek(0)
            if start.startswith(_ZIP_MAGIC):
                yield from _zip(stream, name)
            elif start == b"From " and path.suffix != ".eml":
                yield from _mbox(stream, name)
            else:
                yield _bounded(stream, name)
    except OSError as error:
        yield Archived(name, error=error.strerror or str(error))


def _whole(path: Path, name: str, labels: frozenset[str]) -> Archived:
    try:
        with path.open("rb") as stream:
            return _bounded(stream, name, labels)
    except OSError as error:
        return Archived(name, error=error.strerror or str(error))


def _bounded(stream: BinaryIO, name: str, labels: frozenset[str] = frozenset()) -> Archived:
    raw = stream.read(MAX_MESSAGE_BYTES + 1)
    if len(raw) > MAX_MESSAGE_BYTES:
        return Archived(name, error=f"larger than {MAX_MESSAGE_BYTES} bytes")
    return Archived(name, raw, labels)


def _mbox(stream: BinaryIO, name: str) -> Iterator[Archived]:
    for index, raw in enumerate(read_mbox(stream, MAX_MESSAGE_BYTES)):
        if raw is None:
            yield Archived(f"{name}#{index}", error=f"larger than {MAX_MESSAGE_BYTES} bytes")
        else:
            yield Archived(f"{name}#{index}", raw)


def _zip(stream: BinaryIO, name: str) -> Iterator[Archived]:
    try:
        archive = zipfile.ZipFile(stream)
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        yield Archived(name, error=f"broken zip: {error}")
        return
    with archive:
        for member in archive.infolist():
            if not member.is_dir():
                yield _member(archive, member)


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Archived:
    """Read one member; its real size is bounded, whatever the directory claims."""
    try:
        with archive.open(member) as stream:
            raw = stream.read(MAX_MESSAGE_BYTES + 1)
    except Exception as error:  # noqa: BLE001 -- zipfile and its decompressors raise half a dozen unrelated kinds
        return Archived(member.filename, error=f"cannot be unpacked: {error}")
    if len(raw) > MAX_MESSAGE_BYTES:
        return Archived(member.filename, error=f"larger than {MAX_MESSAGE_BYTES} bytes")
    return Archived(member.filename, raw)
