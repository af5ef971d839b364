"""Files in configured folders: below them, whatever links lie there, written whole or not at all.

Every level is opened by its name in the level above and no link is followed, so that nobody who may write
there can lead us elsewhere meanwhile (the folder itself may be a link: it is the configuration's).
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from engine.errors import Rejected, Unavailable
from engine.flow.outside import Chosen, Removal
from engine.rules.file_path import numbered

MOST_OF_A_NAME = 1_000
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NO_WAY = frozenset({errno.ELOOP, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.EINVAL})


class LocalFolders:
    """The Folders port on the file system."""

    def __init__(self, folders: Mapping[str, Path]) -> None:
        self._folders = folders

    async def choose(self, folder: str, path: Sequence[str], content: bytes, taken: frozenset[str]) -> Chosen:
        """Say under which free name a file would lie, or where it lies already."""
        return await asyncio.to_thread(partial(_choose, self._root(folder), path, content, taken))

    async def store(self, folder: str, path: Sequence[str], content: bytes) -> str:
        """Write a file under this name, or the next that is free, or find it there; give its path."""
        return await asyncio.to_thread(partial(_store, self._root(folder), path, content))

    async def remove(self, folder: str, path: Sequence[str], digest: str, *, acts: bool) -> Removal:
        """Remove a file that still has this SHA-256; unless it `acts`, only look."""
        return await asyncio.to_thread(partial(_remove, self._root(folder), path, digest, acts=acts))

    def _root(self, folder: str) -> Path:
        if folder not in self._folders:
            raise Rejected(f"there is no folder '{folder}' in the configuration any more")
        return self._folders[folder]


def _choose(root: Path, path: Sequence[str], content: bytes, taken: frozenset[str]) -> Chosen:
    with _told(), _opened(root, path[:-1], make=False) as level:
        for name in _names(path[-1]):
            whole = "/".join([*path[:-1], name])
            if whole in taken:
                continue
            if level is None or not _is_there(level, name):
                return Chosen(whole, existed=False)
            if _holds(level, name, content):
                return Chosen(whole, existed=True)
    raise Rejected(f"there are {MOST_OF_A_NAME} files of one name already")


def _store(root: Path, path: Sequence[str], content: bytes) -> str:
    with _told(), _opened(root, path[:-1], make=True) as level:
        part = f".postroom-{hashlib.sha256(content).hexdigest()[:24]}"
        try:
            _write(level, part, content)
            for name in _names(path[-1]):
                if _link(level, part, name) or _holds(level, name, content):
                    _settle(level)
                    return "/".join([*path[:-1], name])
        finally:
            with suppress(FileNotFoundError):
                os.unlink(part, dir_fd=level)
    raise Rejected(f"there are {MOST_OF_A_NAME} files of one name already")


def _remove(root: Path, path: Sequence[str], digest: str, *, acts: bool) -> Removal:
    with _told(), _opened(root, path[:-1], make=False) as level:
        if level is None or not _is_there(level, path[-1]):
            return "gone"
        if _digest(level, path[-1]) != digest:
            return "changed"
        if acts:
            os.unlink(path[-1], dir_fd=level)
            _settle(level)
        return "removed"


def _digest(level: int, name: str) -> str:
    """Hash a plain file; of anything else, ""."""
    try:
        found = os.open(name, READ, dir_fd=level)
    except OSError:
        return ""
    with os.fdopen(found, "rb") as file:
        plain = stat.S_ISREG(os.fstat(found).st_mode)
        return hashlib.file_digest(file, "sha256").hexdigest() if plain else ""


def _names(name: str) -> Iterator[str]:
    return (numbered(name, number) for number in range(1, MOST_OF_A_NAME + 1))


@contextmanager
def _told() -> Iterator[None]:
    """Tell what the file system says in our words: what stays so, and what may pass, such as a full disk."""
    try:
        yield
    except OSError as error:
        said = f"a file cannot be saved or removed: {error.strerror}"
        raise (Rejected if error.errno in _NO_WAY else Unavailable)(said) from None


@contextmanager
def _opened(root: Path, levels: Sequence[str], *, make: bool) -> Iterator[int | None]:
    """Open a level below the root; what is missing on the way is made, or else None is given."""
    level: int | None = os.open(root, FOLDER)
    try:
        for name in levels:
            if make:
                _make(level, name)
            try:
                below = os.open(name, FOLDER | os.O_NOFOLLOW, dir_fd=level)
            except FileNotFoundError:
                if make:
                    raise
                below = None
            _close(level)
            level = below
            if level is None:
                break
        yield level
    finally:
        _close(level)


def _make(level: int | None, name: str) -> None:
    with suppress(FileExistsError):
        os.mkdir(name, 0o750, dir_fd=level)
        _settle(level)


def _settle(level: int | None) -> None:
    """See to it that the names of a level survive a loss of power."""
    if level is not None:
        os.fsync(level)


def _close(level: int | None) -> None:
    if level is not None:
        os.close(level)


def _write(level: int | None, name: str, content: bytes) -> None:
    """Write a file of ours anew: what lies there is what a killed attempt left."""
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=level)
    with os.fdopen(os.open(name, NEW, 0o640, dir_fd=level), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _link(level: int | None, part: str, name: str) -> bool:
    """Give a whole file its name, unless that is taken."""
    try:
        os.link(part, name, src_dir_fd=level, dst_dir_fd=level, follow_symlinks=False)
    except FileExistsError:
        return False
    return True


def _is_there(level: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=level, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _holds(level: int | None, name: str, content: bytes) -> bool:
    """Whether a plain file of that name has this content."""
    try:
        found = os.open(name, READ, dir_fd=level)
    except OSError:
        return False
    with os.fdopen(found, "rb") as file:
        about = os.fstat(found)
        alike = stat.S_ISREG(about.st_mode) and about.st_size == len(content)
        return alike and file.read(len(content) + 1) == content
