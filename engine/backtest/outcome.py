"""What judging one message of the past came to, as it goes from process to process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.mail.message import Conversation
from engine.rules.memory import Seen


@dataclass(frozen=True, slots=True)
class Act:
    """One action of a rule that matched."""

    kind: str
    """Its key, or `draft` where all it does is to leave a draft."""
    shown: Mapping[str, Any]
    """As a one-key map, with captures filled in."""
    held: str = ""
    """Why the guard holds it whatever came before."""
    once: str = ""
    """What is remembered once it is done, "" where it may be done again at once."""
    window: int = 0
    """For how long that counts, in ms."""
    replies: bool = False
    """Whether it answers in the message's thread."""


@dataclass(frozen=True, slots=True)
class Ran:
    """One rule that matched."""

    rule: str
    acts: tuple[Act, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one version of the rules does with one message."""

    runs: tuple[Ran, ...] = ()
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    undecided: tuple[tuple[str, str], ...] = ()
    """Rules that could not be judged, each with the reason."""
    remembered: tuple[Seen, ...] = ()
    shadows: tuple[Ran, ...] = ()
    """What rules in shadow would do: nothing of it counts."""
    unless: frozenset[str] = frozenset()
    """Keys of the memory: it holds as long as nothing is remembered under any of them."""

    @property
    def empty(self) -> bool:
        """Whether nothing comes of it whatever came before, and nothing is remembered."""
        return not (self.runs or self.undecided or self.remembered or self.shadows or self.unless)


NOTHING = Outcome()


@dataclass(frozen=True, slots=True)
class Headline:
    """What a person knows a message by."""

    name: str
    at: int
    """When it arrived, in epoch ms."""
    sender: str = ""
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Looked:
    """One message, judged by each version as far as that needs no other message."""

    headline: Headline
    outcomes: tuple[Outcome | None, ...]
    """One for each version; None where its rules first have to know what came before."""
    message: bytes | None = None
    """What they need to be asked again, where any may have to: a pickled Message, as few are asked again."""
    thread: str = ""
    """As its service names it; "" where its own fields have to tell."""
    ids: tuple[str, ...] = ()
    """Its Message-ID and those that it refers to, where threads matter."""
    ours: bool = False
    """Whether we sent it."""
    conversation: Conversation | None = None
    """What the fields of earlier messages tell of its thread."""

    @property
    def quiet(self) -> bool:
        """Whether no version does anything with it, and none remembers it."""
        return not self.ids and all(outcome is not None and outcome.empty for outcome in self.outcomes)
