"""The mail that is measured with: the outside corpus where it is, else the samples that we ship."""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path

from engine.mail.archive import read_archive
from engine.sandbox.samples import sample_messages

CHECKOUT = Path(__file__).resolve().parent.parent
_ID = re.compile(rb"(?im)^(message-id:[ \t]*)<")


@dataclass(frozen=True, slots=True)
class Mail:
    """Raw messages and where they come from."""

    source: str
    raws: tuple[bytes, ...]


def find_mail(size: int) -> Mail:
    """Take `size` messages evenly from what there is; if that is too few, again with other ids."""
    folder = Path(os.environ.get("POSTROOM_CORPUS") or CHECKOUT.parent / "shared" / "corpus")
    found = list(_corpus(folder)) if folder.is_dir() else []
    whose = "the outside corpus" if found else "our own samples"
    found = found or [raw for _, raw in sample_messages()]
    source = f"{size} messages of {whose} ({len(found)} different ones)"
    if size > len(found):
        return Mail(source, tuple(islice(_repeated(found), size)))
    return Mail(source, tuple(found[index * len(found) // size] for index in range(size)))


def several_times(mail: Mail, times: int) -> Mail:
    """The same mail so many times over, each time with other ids."""
    return Mail(mail.source, tuple(islice(_repeated(mail.raws), times * len(mail.raws))))


def write_archive(raws: Sequence[bytes], path: Path) -> Path:
    """Write a zip that the sandbox loads in this order."""
    with zipfile.ZipFile(path, "w") as archive:
        for index, raw in enumerate(raws):
            archive.writestr(f"{index:06}.eml", raw)
    return path


def _corpus(folder: Path) -> Iterator[bytes]:
    for archive in sorted(folder.glob("*/messages.zip")):
        yield from (one.raw for one in read_archive(archive) if not one.error)


def _repeated(found: Sequence[bytes]) -> Iterator[bytes]:
    for turn in count():
        # A Message-ID that comes twice would join threads that have nothing to do with each other.
        mark = b"\\g<1><%d." % turn if turn else b"\\g<0>"
        yield from (_ID.sub(mark, raw, count=1) for raw in found)
