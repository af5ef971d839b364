from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from engine.rules.action import Action, Switch
from engine.rules.effects import ChangeLabels, Effect
from engine.rules.text import Captures


class Trash(Action):
    """Move the message to the trash."""

    key = "trash"
    bare: ClassVar[str] = "on"
    only_bare: ClassVar[bool] = True
    examples = ("trash: true",)

    on: Switch = Field(description="Always true.")

    def effects(self, captures: Captures) -> tuple[Effect, ...]:
        return (ChangeLabels(add=("TRASH",), remove=("INBOX",)),)
