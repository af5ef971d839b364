from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from engine.rules.action import Action
from engine.rules.effects import ChangeLabels, Effect
from engine.rules.findings import unknown
from engine.rules.placing import REACH, ScopeField
from engine.rules.strict import Flag
from engine.rules.text import Captures

WORDS: Mapping[str, dict[str, str]] = {
    "read": {"read": "true"},
    "unread": {"read": "false"},
    "starred": {"starred": "true"},
    "important": {"important": "true"},
}

MARKS = ("read", "starred", "important")


class Mark(Action):
    """Mark the message as read, starred or important, or as not so."""

    key = "mark"
    shorthand: ClassVar[Mapping[str, Any]] = {"enum": list(WORDS)}
    map_schema: ClassVar[Mapping[str, Any]] = {"anyOf": [{"required": [key]} for key in MARKS]}
    examples = ("mark: {read: true, starred: true}", "mark: read", "mark: {read: true, scope: thread}")

    read: Flag | None = Field(None, description="True takes UNREAD off, false puts it on.")
    starred: Flag | None = Field(None, description="True puts STARRED on, false takes it off.")
    important: Flag | None = Field(None, description="True puts IMPORTANT on, false takes it off.")
    scope: ScopeField = Field("message", description=REACH)

    @classmethod
    def spread(cls, data: Any) -> Any:
        if not isinstance(data, str):
            return super().spread(data)
        if data not in WORDS:
            raise ValueError(unknown("mark", data, WORDS))
        return WORDS[data]

    @model_validator(mode="after")
    def _marks_something(self) -> Self:
        if self.read is None and self.starred is None and self.important is None:
            raise ValueError(f"marks nothing; write one of {', '.join(MARKS)}")
        return self

    def effects(self, captures: Captures) -> tuple[Effect, ...]:
        unread = None if self.read is None else not self.read
        wanted = {"UNREAD": unread, "STARRED": self.starred, "IMPORTANT": self.important}
        return (
            ChangeLabels(
                add=tuple(label for label, on in wanted.items() if on),
                remove=tuple(label for label, on in wanted.items() if on is False),
                scope=self.scope,
            ),
        )
