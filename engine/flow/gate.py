"""The gate before every send, at the moment of sending: what it is asked, and what it answers.

What it counts, it counts over all mailboxes, lanes and workers, and once for each step, however often tried.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from engine.flow.stores import Claim
from engine.rules.budgets import Window, Windows

PAUSED = "sends are paused"
"""How the reason begins for which a run waits then."""


@dataclass(frozen=True, slots=True)
class Count:
    """One thing that is counted, and how often it may be within each window."""

    key: str
    name: str
    """Who says how often, for people."""
    windows: Windows
    limits: bool = True
    """Whether it holds anything back, or only counts."""
    address: str = ""
    """The recipient that it is about, in normal form, "" where it is about the step."""
    member: str = ""
    """What is counted once, "" for the step."""
    given: str = ""
    """Another count: while there is nothing of that within its windows, this one neither holds nor counts."""
    looks: bool = False
    """Whether it holds back by what others counted, and counts nothing itself."""

    def told(self, window: Window, used: int) -> str:
        """Say that there is no room."""
        return f"{self.name} allows {window.told}; so far {used}"


@dataclass(frozen=True, slots=True)
class Passage:
    """What one step asks for; times in epoch ms."""

    step: str
    leaves: int
    """When it has left at the latest."""
    counts: tuple[Count, ...]
    addresses: tuple[str, ...] = ()
    """Names of its recipients in normal form, of which none may be suppressed."""
    brakes: bool = False
    """Whether it waits while sends are paused."""
    kept_until: int = 0
    """It leaves no earlier; 0 where it may leave at once."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What stands against a step; nothing where it may go, and then it is counted."""

    paused: str = ""
    """Who paused sends, since when and why."""
    barred: Mapping[str, str] = field(default_factory=dict)
    """Recipients that may get nothing now, in normal form, each with the reason."""
    held: str = ""
    """Why the step as a whole may not go."""

    @property
    def passed(self) -> bool:
        return not (self.paused or self.barred or self.held)


class Gate(Protocol):
    """What is counted, who is suppressed, and whether sends are paused."""

    async def ask(self, passage: Passage, now: int) -> Verdict:
        """Let a step pass and count it, both in one, or say what stands against it and count nothing.

        What the step itself took at an earlier attempt is not counted against it.
        """
        ...

    async def park(self, claim: Claim, why: str, now: int) -> int:
        """Give a claim back until sends go on; when to try again at the latest."""
        ...
