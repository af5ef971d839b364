"""Summaries: one run gathers many items in its content until it is due, and then sends them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from engine.flow.plan import Run
from engine.flow.stores import Claim

MAX_ITEMS = 200
MAX_BYTES = 500_000
"""Of all items of one summary, as JSON; what comes beyond either bound is counted alone."""


@dataclass(frozen=True, slots=True)
class Addition:
    """One item on its way into a summary."""

    summary: str
    """Names the summary: by mailbox, rule, key and what the action says."""
    key: str
    """As it is shown."""
    name: str
    """Of the item: the run and step that tell it."""
    item: str
    """As JSON text."""
    run: Run
    """What sends the summary, if this is its first item."""
    due: int
    """When, in that case (epoch ms)."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """What a summary gathered."""

    key: str
    items: tuple[str, ...]
    """As JSON texts, in the order in which they came."""
    more: int
    """How many were counted alone."""


class Summaries(Protocol):
    """Summaries on their way."""

    async def add(self, addition: Addition, receipt: Mapping[str, str], claim: Claim, now: int) -> str:
        """Add an item and record that its step is done, both or none, once; give the run of the summary.

        The receipt names that run under `summary`.
        """
        ...

    async def close(self, claim: Claim) -> Gathered:
        """Let a summary take no more items, and give them.

        Raises Unavailable when the claim is somebody else's by now.
        """
        ...

    async def take_out(self, summary: str, name: str, *, acts: bool = True) -> str:
        """Take an item out of the summary of a run, or only look.

        Says `taken`; `closed` when the summary takes nothing any more, `gone` when it has no such item.
        """
        ...
