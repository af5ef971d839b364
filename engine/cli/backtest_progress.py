"""How far long work has come, on a terminal."""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from engine.backtest.judging import Item
from engine.mail.archive import Archived

Advance = Callable[[int], None]


@contextmanager
def progress(what: str, total: int | None) -> Iterator[Advance]:
    """Show a bar on standard error while the block works, if that is a terminal; each advance is one message.

    An advance says how much of `total` is done with it.
    """
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    said = TextColumn("{task.fields[count]:,} {task.description}")
    columns = (said, BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task, count = bar.add_task(what, total=total, count=0), 0

        def advance(by: int) -> None:
            nonlocal count
            count += 1
            bar.update(task, advance=by, count=count)

        yield advance


def weight(item: Item) -> int:
    """How much of an archive a message is, in bytes; a fetched one counts as one."""
    return len(item.raw) if isinstance(item, Archived) else 1


def archive_bytes(path: Path) -> int:
    """About how many bytes of mail lie there, unpacked."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(map(_bytes, files))


def _bytes(file: Path) -> int:
    try:
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as packed:
                return sum(member.file_size for member in packed.infolist())
        return file.stat().st_size
    except (OSError, zipfile.BadZipFile, ValueError):
        return 0
