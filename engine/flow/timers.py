"""What is to happen later: an event that goes into its lane when its time has come, once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from engine.mail.events import Event


@dataclass(frozen=True, slots=True)
class Timer:
    """One event of the future. Setting the same event again moves its time."""

    due: int
    """Epoch ms."""
    lane: str
    event: Event
    """Known by its `id`, as in its lane: its kind, key and `only` say to people what it is for."""

    @property
    def member(self) -> str:
        """What stands for it in the store; lane and event alone make it."""
        return f"{self.lane}\n{self.event.to_json()}"

    @classmethod
    def from_member(cls, member: str, due: int) -> Self:
        lane, _, event = member.partition("\n")
        return cls(due, lane, Event.from_json(event))
