"""A run as the journal has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.flow.plan import Run


@dataclass(frozen=True, slots=True)
class Undone:
    """That a run was taken back."""

    at: int
    """When, in epoch ms."""
    by: str
    left: tuple[str, ...] = ()
    """What was left as it is, and why."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A run as the journal has it."""

    run: Run
    state: str
    """planned, open, done or dead."""
    receipts: Mapping[int, Mapping[str, str]]
    attempts: int
    why: str
    """What the step that failed said, else the last attempt; of a run that is done, nothing."""
    ended: int = 0
    """When it was settled, in epoch ms; 0 while it is not."""
    undone: Undone | None = None
