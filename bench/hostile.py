"""Hostile input, eight times as much of it: what is linear takes eight times as long, what is not, more.

Python's own work is counted by the tests; the time taken here shows what is done within calls of C too.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

from pydantic import TypeAdapter

from bench.dirt.asked import ASKED, Ask
from bench.dirt.mails import MAILS
from bench.dirt.messages import MESSAGES, See
from bench.dirt.readers import RAW_READERS, TEXT_READERS, in_mail
from bench.dirt.texts import TEXTS
from bench.figure import Figure, Section
from bench.mail import Mail
from engine.mail import address
from engine.rules.condition import Condition
from engine.rules.index import Index
from engine.rules.reasons import reason_of
from engine.rules.registry import AnyCondition
from engine.rules.yaml import parse_yaml, plain

FACTOR = 8
SIZE = 4_000
"""Characters of the smaller input."""
MEMBERS = 100
"""Members of the smaller list in a condition."""
LEAST = 0.002
"""Seconds below which a time is noise."""
SUSPECT = 1.5
"""Times linear: measured three times more, of which the middle one counts."""

Prepare = Callable[[int], Callable[[], object]]
"""Makes an input of a size; what it gives is timed."""
CONDITION: TypeAdapter[Condition] = TypeAdapter(AnyCondition)


async def measure(mail: Mail, folder: Path, size: int = SIZE, members: int = MEMBERS) -> Section:
    """Take the growth of every reader and every condition over every input; of each, the worst counts."""
    kinds = {
        "readers of texts": (_texts(), size),
        "readers of messages": (_messages(), size),
        "conditions over messages": (_judged(), size),
        "conditions with lists": (_lists(), members),
    }
    figures, notes = [], []
    for kind, (cases, least) in kinds.items():
        worst = max(((_growth(prepare, least), name) for name, prepare in cases), key=lambda each: each[0])
        figures.append(Figure(f"{kind}, the worst", worst[0], FACTOR, "times", "linear"))
        notes.append(f"{kind}: {worst[1]}")
    return Section(f"Time for {FACTOR} times as much hostile input", tuple(figures), tuple(notes))


def _growth(prepare: Prepare, size: int) -> float:
    found = _ratio(prepare, size)
    if found < SUSPECT * FACTOR:
        return found
    return median(_ratio(prepare, size + attempt) for attempt in (1, 2, 3))


def _ratio(prepare: Prepare, size: int) -> float:
    return _seconds(prepare, FACTOR * size) / _seconds(prepare, size)


def _seconds(prepare: Prepare, size: int) -> float:
    work = prepare(size)
    address._parsed.cache_clear()
    gc.disable()  # A collection costs what other measures have left lying about.
    try:
        began = process_time()
        work()
        return max(process_time() - began, LEAST)
    finally:
        gc.enable()


Cases = Iterator[tuple[str, Prepare]]


def _read(read: Callable[[Any], object], made: Mapping[str, Callable[[int], Any]], reader: str) -> Cases:
    def prepare(make: Callable[[int], Any], size: int) -> Callable[[], object]:
        return partial(read, make(size))

    yield from ((f"{reader} of {name}", partial(prepare, make)) for name, make in made.items())


def _texts() -> Cases:
    for name, reader in TEXT_READERS.items():
        yield from _read(reader, TEXTS, name)


def _messages() -> Cases:
    for name, reader in RAW_READERS.items():
        yield from _read(reader, MAILS, name)
        for place, read in in_mail(reader).items():
            yield from _read(read, TEXTS, f"{name}, {place}")


def _condition(text: str) -> Condition:
    return CONDITION.validate_python(plain(parse_yaml(text, "")))


def _judge(asked: Condition, see: See, size: int) -> Callable[[], object]:
    view = see(size)
    return lambda: (
        Index([asked.clues]).candidates(view),
        asked.judge(view),
        reason_of(asked, view, "when"),
    )


def _load_and_judge(text: str, see: See) -> None:
    _judge(_condition(text), see, MEMBERS)()


def _judged() -> Cases:
    for ask in (ask for asks in ASKED.values() for ask in asks):
        text = ask(2)
        for name, see in MESSAGES.items():
            yield f"{text} of {name}", partial(_judge, _condition(text), see)


def _lists() -> Cases:
    def prepare(ask: Ask, see: See, size: int) -> Callable[[], object]:
        return partial(_load_and_judge, ask(size), see)

    for ask in (ask for asks in ASKED.values() for ask in asks):
        for name, see in list(MESSAGES.items())[:1]:
            yield f"{ask(2)} of {name}", partial(prepare, ask, see)
