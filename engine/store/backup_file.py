"""A backup as a file: a gzip of JSON lines, the first says what it is, the last what it must come to."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from engine.errors import SettingsError
from engine.store.backup_records import Record

FORMAT = 1
LEVEL = 1
"""Speed counts: work stands still while a backup is written."""

Progress = Callable[[int], None]
"""Told how many records, or bytes, there are by now."""


@dataclass(frozen=True, slots=True)
class Head:
    """What a backup says of itself."""

    format: int
    layout: int
    version: str
    """The Postroom that made it."""
    made: int
    """Epoch ms."""


_HEAD = {"format": int, "layout": int, "version": str, "made": int}
"""What is read of it; a newer version may say more."""


class Writer:
    """Writes a backup's lines and their checksum."""

    def __init__(self, file: gzip.GzipFile, head: Head) -> None:
        self._file, self._digest = file, hashlib.sha256()
        self.records = 0
        self._line({"postroom": "backup", **asdict(head)})

    def add(self, records: Sequence[Record]) -> None:
        for record in records:
            self._line([record.kind, record.key, record.expires, record.values])
        self.records += len(records)

    def end(self) -> None:
        checksum = self._digest.hexdigest()
        self._line({"records": self.records, "sha256": checksum})

    def _line(self, value: Any) -> None:
        line = json.dumps(value, separators=(",", ":")).encode() + b"\n"
        self._digest.update(line)
        self._file.write(line)


def refuse_existing(path: Path) -> None:
    """Raise SettingsError rather than overwrite an older backup."""
    if os.path.exists(path):  # noqa: PTH110 - what cannot even be asked for is refused when it is opened
        raise SettingsError(f"{path} exists: choose another name")


@contextmanager
def writing(path: Path, head: Head) -> Iterator[Writer]:
    """Write a new backup that nobody else may read; it bears its name once it is whole and on disk."""
    unfinished = path.with_name(f"{path.name}.part")
    try:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise SettingsError(f"{unfinished} cannot be written: {error.strerror}") from error
    try:
        with os.fdopen(descriptor, "wb") as plain:
            with gzip.GzipFile(fileobj=plain, mode="wb", compresslevel=LEVEL, mtime=0) as file:
                writer = Writer(file, head)
                yield writer
                writer.end()
            plain.flush()
            os.fsync(plain.fileno())
        unfinished.replace(path)
    except OSError as error:
        raise SettingsError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        unfinished.unlink(missing_ok=True)


def check(path: Path, progress: Progress) -> Head:
    """Read a backup to its end and hold it against its checksum. Raises SettingsError."""
    digest = hashlib.sha256()
    head: Head | None = None
    records, last = 0, b""
    for line in _lines(path, progress):
        if head is None:
            head = _head(path, line)
        else:
            digest.update(last)
            records += 1
        last = line
    if head is None:
        raise SettingsError(f"{path} is empty")
    if _read(path, last) != {"records": records - 1, "sha256": digest.hexdigest()}:
        raise SettingsError(f"{path} is damaged: it does not come to its checksum")
    return head


def read(path: Path, progress: Progress) -> Iterator[Record]:
    """Read the records of a backup that was checked."""
    for line in _lines(path, progress):
        value = json.loads(line)
        if isinstance(value, list):
            yield Record(*value)


def _head(path: Path, line: bytes) -> Head:
    found = _read(path, line)
    if not isinstance(found, dict) or found.pop("postroom", "") != "backup":
        raise SettingsError(f"{path} is no backup of Postroom's")
    if found.get("format") != FORMAT:
        wanted = f"and this Postroom reads format {FORMAT}"
        raise SettingsError(f"{path} has format {found.get('format')}, {wanted}: use the one that made it")
    known: dict[str, Any] = {
        name: found[name] for name, kind in _HEAD.items() if isinstance(found.get(name), kind)
    }
    if len(known) < len(_HEAD):
        raise SettingsError(f"{path} is no backup of Postroom's, or damaged")
    return Head(**known)


def _read(path: Path, line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        raise SettingsError(f"{path} is no backup of Postroom's, or damaged") from None


def _lines(path: Path, progress: Progress) -> Iterator[bytes]:
    try:
        with path.open("rb") as plain, gzip.GzipFile(fileobj=plain, mode="rb") as file:
            for number, line in enumerate(file):
                if number % 1000 == 0:
                    progress(plain.tell())
                yield line
    except (OSError, EOFError, zlib.error) as error:
        why = getattr(error, "strerror", None) or "it is damaged, or cut off, or no backup"
        raise SettingsError(f"{path} cannot be read: {why}") from None
