"""Small files and locks in the data folder."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


def read(path: Path) -> str:
    """The file's text without blanks around it; "" when there is no such file."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return ""


def write(path: Path, text: str) -> None:
    """Write a small file whole and for good."""
    fresh = path.with_name(path.name + ".new")
    with fresh.open("w", encoding="utf-8") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def open_lock(path: Path) -> int:
    """Open a lock file; closing the descriptor gives its locks back."""
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


def lock(descriptor: int, *, alone: bool) -> bool:
    """Lock without waiting, alone or together with others; a shared lock becomes a sole one."""
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_private(folder: Path) -> bool:
    """Say whether a folder belongs to us, and nobody else may look into it."""
    facts = folder.lstat()
    return facts.st_uid == os.geteuid() and facts.st_mode & 0o077 == 0
