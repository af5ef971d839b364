"""The end of an append-only file that was cut in the middle of a transaction.

Redis wraps what one script writes in MULTI and EXEC. Where the file ends inside a command of a
transaction, Redis 7.0 cuts it behind the last whole command instead of before the MULTI: nothing of the
transaction is in force then, but its first commands stay in the file, and come into force when the file
is read the next time. So an unfinished transaction is cut off before Redis reads the file at all, as
`redis-check-aof --fix` does.
"""

from __future__ import annotations

import logging
import mmap
import os
import re
from pathlib import Path

log = logging.getLogger("postroom.redis")

# How Redis itself writes both words. Keys and values of ours hold no line breaks: JSON has none.
_MULTI, _EXEC = b"*1\r\n$5\r\nMULTI\r\n", b"*1\r\n$4\r\nEXEC\r\n"
_PART = re.compile(r"\.(\d+)\.incr\.aof$")


def cut_unfinished(folder: Path) -> int:
    """Cut an unfinished transaction off the file that Redis appends to; returns how many bytes that were."""
    path = _appended(folder)
    if path is None or not path.stat().st_size:
        return 0
    with path.open("r+b") as file:
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            size, begin = len(content), content.rfind(_MULTI)
            if begin < 0 or content.find(_EXEC, begin) >= 0:
                return 0
        file.truncate(begin)
        file.flush()
        os.fsync(file.fileno())
    log.warning("%s ended in an unfinished transaction: %d bytes cut off", path.name, size - begin)
    return size - begin


def _appended(folder: Path) -> Path | None:
    """The last of several parts from Redis 7.0 on, before that the one file."""
    parts = [
        (int(found[1]), path)
        for path in folder.glob("appendonlydir/*.incr.aof")
        if (found := _PART.search(path.name))
    ]
    if parts:
        return max(parts)[1]
    single = folder / "appendonly.aof"
    return single if single.is_file() else None
