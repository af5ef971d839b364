"""What every action is."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field

from engine.rules.captures import fill, fill_all
from engine.rules.effects import Effect
from engine.rules.quantities import SECONDS, Duration, Quantity
from engine.rules.strict import Strict
from engine.rules.text import Captures

LONGEST_DAYS = 90


def _bounded(span: Quantity) -> Quantity:
    if span.value > LONGEST_DAYS * SECONDS["D"]:
        raise ValueError(f"an action waits for at most {LONGEST_DAYS} days")
    return span


class Action(Strict):
    """One line under `then`: turns its settings and the captures into effects."""

    key: ClassVar[str]
    examples: ClassVar[tuple[str, ...]]
    """Actions as YAML, as an author would write them."""
    last: ClassVar[bool] = False
    """Whether nothing may stand behind it in its rule."""

    after: Annotated[Duration, AfterValidator(_bounded)] | None = Field(
        None, description="Do it only so long after the rule matched; what stands behind it waits as well."
    )

    @classmethod
    def keys(cls) -> list[str]:
        """List the keys that a map may have, its own first."""
        return sorted(super().keys(), key=lambda key: key == "after")

    @property
    def of_message(self) -> bool:
        """Whether it does something with the message, so that an event without one has no use for it."""
        return True

    def effects(self, captures: Captures) -> tuple[Effect, ...]:
        """Say what is to be done, in order."""
        raise NotImplementedError

    def steps(self, captures: Captures) -> tuple[Effect, ...]:
        """Say what is to be done and after how long."""
        effects = self.effects(captures)
        if self.after is None:
            return effects
        return tuple(each.model_copy(update={"after": self.after.value}) for each in effects)

    @cached_property
    def dumped(self) -> Any:
        return self.dump()

    def shown(self, captures: Captures) -> Any:
        """Give its settings with captures filled in, for people and machines to read."""
        return fill_all(self.dumped, captures)

    def reaches(self) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
        """Give what it reaches beyond the mailbox: where below it, of which kind, by which name.

        Kinds are `recipient`, `endpoint` and `folder`.
        """
        return iter(())

    def texts(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Give every text that may use captures, with its place below the action."""
        return iter(())


SYSTEM_LABELS = frozenset(
    {"INBOX", "UNREAD", "STARRED", "IMPORTANT", "SENT", "DRAFT", "SCHEDULED", "SPAM", "TRASH"}
)
MAX_LABEL = 200
"""Characters of a label's full path."""


def filled(labels: tuple[str, ...], captures: Captures) -> tuple[str, ...]:
    """Fill captures in label names; a name that comes out empty is none."""
    names = (_label(label, captures) if "{{" in label else label for label in labels)
    return tuple(dict.fromkeys(name for name in names if name))


def _label(label: str, captures: Captures) -> str:
    """Make a name of what a message's sender chose: a bounded path, and no system label."""
    parts = (_line(part) for part in fill(label, captures).split("/"))
    cut = "/".join(part for part in parts if part)[:MAX_LABEL]
    name = cut.rstrip().rstrip("/").rstrip()
    return "" if name.upper() in SYSTEM_LABELS else name


def _line(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
