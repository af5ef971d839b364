from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from engine.rules.effects import Effect, SaveDraft
from engine.rules.strict import Flag, without
from engine.rules.templated import Recipients, Templated
from engine.rules.text import Captures


class Draft(Templated):
    """Leave a draft from a template for a person to look at and send."""

    key = "draft"
    map_schema: ClassVar[Mapping[str, Any]] = {
        "allOf": [
            without("reply", True, ["to"]),
            {
                "if": {"properties": {"reply": {"const": False}}, "required": ["reply"]},
                "then": {"required": ["to"]},
            },
        ]
    }
    examples = ("draft: sales-answer", "draft: {template: sales-answer, reply: true, with: {name: Ann}}")

    reply: Flag | None = Field(
        None, description="An answer in the message's thread; so it is unless `to` is given."
    )
    to: Recipients | None = Field(None, description="Fixed addresses, for a draft that answers nothing.")

    @model_validator(mode="after")
    def _answers_or_addresses(self) -> Self:
        if self.reply and self.to:
            raise ValueError("an answer goes to whom it answers: take 'to' or 'reply: true' out")
        if self.reply is False and not self.to:
            raise ValueError("goes to nobody: write 'to', or take 'reply: false' out")
        return self

    @property
    def of_message(self) -> bool:
        return not self.to

    def effects(self, captures: Captures) -> tuple[Effect, ...]:
        reply = not self.to if self.reply is None else self.reply
        return (SaveDraft(template=self.template, inputs=dict(self.with_), reply=reply, to=self.to or ()),)
