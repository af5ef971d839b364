"""Save files of a message. Names are chosen and written down first: a second attempt finds its own."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from fnmatch import translate
from typing import Any

from engine.flow.executing import Receipt, Work
from engine.flow.inverse import dumped, files_back
from engine.mail.bodies import file_name
from engine.mail.dates import message_date
from engine.mail.message import Message
from engine.mail.mime import MimePart, from_raw, is_attachment, leaves, parse
from engine.mail.needs import Need
from engine.rules.effects import StoreFile
from engine.rules.file_path import fill_path


@dataclass(frozen=True, slots=True)
class _Content:
    name: str
    content: bytes


async def save(work: Work, effect: StoreFile) -> Receipt:
    """Save what the effect names of a run's message."""
    run, folders = work.run, work.executing.folders
    raw = await work.provider.raw(run.mailbox, run.key)
    known = await work.provider.fetch(run.mailbox, run.key, frozenset({Need.LABELS}))
    book = await work.executing.books.pinned(run.digest)
    zone = book.rules.homes.of(run.mailbox).zone
    message = from_raw(raw, key=run.key, received=known.received)
    values = _values(message, zone) | {f"captures.{name}": value for name, value in run.captures.items()}
    contents = list(_contents(raw, message, effect))
    paths = [
        fill_path(effect.name, values | _of_file(one.name, number)) for number, one in enumerate(contents, 1)
    ]
    chosen = await _chosen(work, effect, paths, contents)
    stored = [
        await folders.store(effect.folder, place["path"].split("/"), one.content)
        for place, one in zip(chosen, contents, strict=True)
    ]
    ours = [
        (effect.folder, path, hashlib.sha256(one.content).hexdigest())
        for path, place, one in zip(stored, chosen, contents, strict=True)
        if not place["existed"]
    ]
    first = {"path": stored[0]} if stored else {}
    return {"outcome": "done", "folder": effect.folder, "paths": dumped(stored), **first, **files_back(ours)}


async def _chosen(
    work: Work, effect: StoreFile, paths: list[tuple[str, ...]], contents: list[_Content]
) -> list[dict[str, Any]]:
    """The path of each file, as the first attempt chose it."""
    text = work.claim.notes.get(work.step)
    if text is None:
        found: list[dict[str, Any]] = []
        for path, one in zip(paths, contents, strict=True):
            taken = frozenset(place["path"] for place in found)
            place = await work.executing.folders.choose(effect.folder, path, one.content, taken)
            found.append({"path": place.path, "existed": place.existed})
        text = await work.note(dumped(found))
    chosen: list[dict[str, Any]] = json.loads(text)
    return chosen


def _contents(raw: bytes, message: Message, effect: StoreFile) -> Iterator[_Content]:
    """What is to be saved, each with the name that it brings along."""
    if effect.what == "message":
        yield _Content(f"{file_name(message.subject or 'message')}.eml", raw)
        return
    fits = re.compile("|".join(map(_glob, effect.only)) or ".*", re.S)
    for part in leaves(parse(raw)):
        name = _name(part)
        if is_attachment(part) and part.body is not None and fits.fullmatch(name.lower()):
            yield _Content(name, part.body)


def _name(part: MimePart) -> str:
    if part.filename:
        return part.filename
    return "message.eml" if part.type == "message/rfc822" else "file"


def _glob(glob: str) -> str:
    """A rule author's `*` and `?`, which `fnmatch` writes so that nothing is tried twice."""
    return translate(glob.lower().replace("[", "[[]"))


def _values(message: Message, zone: tzinfo) -> dict[str, str]:
    """What a name may say of the message; its date is that of its arrival, else its own."""
    came = message.received or message_date(message.headers) or datetime.fromtimestamp(0, UTC)
    at = came.astimezone(zone)
    sender = next(iter(message.addresses("From")), None)
    return {
        "message.key": message.key,
        "message.subject": message.subject,
        "message.sender": sender.address if sender else "",
        "message.domain": sender.domain if sender else "",
        "message.date": f"{at:%Y-%m-%d}",
        "message.year": f"{at:%Y}",
        "message.month": f"{at:%m}",
        "message.day": f"{at:%d}",
    }


def _of_file(name: str, number: int) -> dict[str, str]:
    clean = file_name(name)
    stem, dot, suffix = clean.rpartition(".")
    return {
        "file.name": clean,
        "file.stem": stem if dot else clean,
        "file.suffix": suffix if dot else "",
        "file.number": str(number),
    }
