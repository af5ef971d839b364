"""What rules remember of earlier messages: goes into judging as a value, comes out as changes. Pure.

Under each key lie the times at which it was seen, each with who was seen then, so that what is judged
once more counts once. Times are those of arrival, so that a backlog counts as it would have at its time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from engine.errors import ConditionError

Sighting = tuple[int, str]
"""When (epoch ms), and of which event: a few letters of the digest of its id."""
Sightings = tuple[Sighting, ...]
"""Oldest first."""

MAX_BEHIND_MS = 7 * 86_400_000
"""How much longer than its window a sighting is kept where mail is judged long after it came."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing to remember."""

    key: str
    sighting: Sighting
    keep: int
    """How many sightings are kept, the newest."""
    window: int
    """For how long after it a sighting counts, in ms."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What is remembered under one key."""

    sightings: Sightings = ()
    keep: int = 1
    window: int = 0

    def with_(self, seen: Seen) -> Kept:
        """Add a sighting, in its place in time; the same event is there once."""
        keep, window = max(self.keep, seen.keep), max(self.window, seen.window)
        others = [one for one in self.sightings if one[1] != seen.sighting[1]]
        return Kept(tuple(sorted([*others, seen.sighting])[-keep:]), keep, window)

    def lives(self, now: int) -> int:
        """For how long from `now` it is of use, in ms: a backlog of mail may still be behind it."""
        behind = max(0, now - self.sightings[-1][0]) if self.sightings else 0
        return self.window + min(behind, MAX_BEHIND_MS)


@dataclass(frozen=True)
class Memory:
    """What is remembered, by key."""

    kept: Mapping[str, Kept] = field(default_factory=dict)
    whole: bool = True
    """Whether a key that is not there was never seen; else it was not looked up."""


EMPTY = Memory()
UNREAD = Memory(whole=False)
"""Nothing was looked up yet."""


class Forgotten(ConditionError):
    """What is remembered was not looked up."""

    def __init__(self) -> None:
        super().__init__("what is remembered was not looked up")


class Ledger:
    """A memory that grows message by message, in their order."""

    def __init__(self, *, whole: bool = True) -> None:
        self._kept: dict[str, Kept] = {}
        self._whole = whole
        self._forget_at = 1_000
        self.changed: dict[str, Kept] = {}
        """What was added, for whoever writes it down."""

    @property
    def memory(self) -> Memory:
        """What is remembered now; it goes on growing."""
        return Memory(self._kept, self._whole)

    def learn(self, found: Mapping[str, Kept]) -> None:
        """Take in what was looked up."""
        self._kept.update(found)

    def add(self, changes: Iterable[Seen]) -> None:
        """Remember what judging one message gave."""
        for seen in changes:
            kept = self._kept.get(seen.key, Kept()).with_(seen)
            self._kept[seen.key] = self.changed[seen.key] = kept
        if self._whole and len(self._kept) > self._forget_at:
            self._forget(max(kept.sightings[-1][0] for kept in self._kept.values() if kept.sightings))

    def _forget(self, now: int) -> None:
        """Let go of what no longer counts, whenever there is twice as much as was left the last time."""
        alive = {key: kept for key, kept in self._kept.items() if kept.sightings[-1][0] + kept.window > now}
        self._kept = alive
        self.changed = {key: kept for key, kept in self.changed.items() if key in alive}
        self._forget_at = max(1_000, 2 * len(alive))


@dataclass(frozen=True, slots=True)
class Beside:
    """What conditions may ask that is no part of the message."""

    event: str = ""
    """The id of the event that is judged."""
    payload: str = ""
    """The JSON text that the event brings along."""
    memory: Memory = EMPTY
    rule: str = ""
    """Whose memory is meant: a rule's, or a group's."""


NOTHING_BESIDE = Beside()


def name_of(*parts: str) -> str:
    """Name what is remembered; what mail says of it is hidden, and bounded in length."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def who(event: str) -> str:
    """Tell one event from others, in a few letters."""
    return hashlib.sha256(event.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def in_ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
