"""The mail that the proofs play: the outside corpus where it is, else our samples, as often as needed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import cache
from itertools import count, islice
from pathlib import Path

from engine.mail.archive import read_archive
from engine.sandbox.samples import sample_messages
from prove.planted import planted
from prove.proof import CHECKOUT

PLANT_EVERY = 40
_IDS = re.compile(rb"(?im)^(?:message-id|in-reply-to|references)[ \t]*:[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*")
_BODY = re.compile(rb"\r?\n\r?\n")


def play_mail(size: int) -> list[bytes]:
    """So many messages, each with ids of its own; some of them are planted."""
    return [
        planted(index) if index % PLANT_EVERY == 7 else raw
        for index, raw in enumerate(islice(_endless(size), size))
    ]


def source() -> str:
    """Whose mail it is."""
    found, whose = _different()
    return f"{len(found):,} different messages of {whose}"


def renamed(raw: bytes, turn: int) -> bytes:
    """The same message with other ids in Message-ID, In-Reply-To and References: threads stay threads."""
    blank = _BODY.search(raw)
    end = blank.start() if blank else len(raw)
    return _IDS.sub(lambda field: field[0].replace(b"<", b"<%d." % turn), raw[:end]) + raw[end:]


def _endless(size: int) -> Iterator[bytes]:
    found, _ = _different()
    if size < len(found):
        yield from (found[index * len(found) // size] for index in range(size))
    yield from found
    for turn in count(1):
        yield from (renamed(raw, turn) for raw in found)


def corpus() -> Path | None:
    """Where the outside corpus lies; None where there is none."""
    folder = Path(os.environ.get("POSTROOM_CORPUS") or CHECKOUT.parent / "shared" / "corpus")
    return folder if folder.is_dir() else None


@cache
def _different() -> tuple[list[bytes], str]:
    folder = corpus()
    archives = sorted(folder.glob("*/messages.zip")) if folder else []
    found = [one.raw for archive in archives for one in read_archive(archive) if not one.error]
    return (found, "the outside corpus") if found else ([raw for _, raw in sample_messages()], "our own")
