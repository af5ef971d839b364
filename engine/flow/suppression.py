"""Addresses that nothing is sent to any more, and what is known of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from engine.flow.stores import Claim, Settled

SOFT_LIMIT = 5
"""So many soft bounces within SOFT_WINDOW_MS suppress an address."""
SOFT_WINDOW_MS = 7 * 86_400_000


class Suppressed(BaseModel):
    """Why nothing is sent to an address."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    since: int
    """Epoch ms."""
    why: str
    status: str = ""
    """What the bounce said (RFC 3463), "" where a person decided."""
    run: str = ""
    """The run that read the bounce."""


@dataclass(frozen=True, slots=True)
class Bounced:
    """What reading one bounce changes; addresses in normal form."""

    suppressed: Mapping[str, Suppressed] = field(default_factory=dict)
    soft: tuple[str, ...] = ()
    """Addresses whose bounce only counts."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A step of a run, and what became of it."""

    mailbox: str
    receipt: Mapping[str, str] | None
    tried: bool = False
    """Whether its run is trying a step just now, or cannot tell what came of it."""
    to_all: bool = False
    """Whether it answered everybody whom a message names."""
    beside_answer: bool = False
    """Whether the run that led to it also answered somebody, who may know its id by that of the answer."""


class Suppressions(Protocol):
    """Which addresses are suppressed, and how often mail to others came back."""

    async def soft(self, addresses: Sequence[str], now: int) -> dict[str, int]:
        """Count the soft bounces of each within SOFT_WINDOW_MS."""
        ...

    async def sent(self, run: str, step: int) -> Sent | None:
        """Look up a step that may have sent a mail; None where the journal has no such run."""
        ...

    async def lift(self, run: str, *, acts: bool) -> list[str]:
        """Let mail go again to whom a run suppressed, and give the addresses; unless it `acts`, only look."""
        ...

    async def settle(self, settled: Settled, bounced: Bounced, now: int, claim: Claim) -> None:
        """Write what a bounce changes and the step's receipt, both or none, once."""
        ...
