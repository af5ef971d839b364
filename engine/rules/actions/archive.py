from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from engine.rules.action import Action, Switch
from engine.rules.effects import ChangeLabels, Effect
from engine.rules.text import Captures


class Archive(Action):
    """Take the message out of the inbox."""

    key = "archive"
    bare: ClassVar[str] = "on"
    only_bare: ClassVar[bool] = True
    examples = ("archive: true",)

    on: Switch = Field(description="Always true.")

    def effects(self, captures: Captures) -> tuple[Effect, ...]:
        return (ChangeLabels(remove=("INBOX",)),)
