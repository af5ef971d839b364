from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from engine.rules.effects import Effect, OncePer, SaveDraft, SendMessage
from engine.rules.quantities import Duration
from engine.rules.strict import Flag, Strict, without
from engine.rules.templated import Sends, Templated
from engine.rules.text import Captures


class Once(Strict):
    """At most one such answer within a window."""

    sender: Duration = Field(description="The window for each correspondent, such as 7d.")


_TO_ALL: Mapping[str, Any] = {
    "if": {"properties": {"mode": {"const": "draft"}}, "required": ["mode"]},
    "then": {"properties": {"all": {"const": False}}},
}
"""A draft is no answer to everybody."""


class Reply(Sends, Templated):
    """Answer the message from a template, in its thread, from the address that was written to."""

    key = "reply"
    map_schema: ClassVar[Mapping[str, Any]] = {
        "allOf": [without("mode", "draft", ["once_per"]), _TO_ALL, Sends.by_mode]
    }
    examples = (
        "reply: invoice-received",
        "reply: {template: invoice-received, with: {order: '48211'}, once_per: {sender: 7d}}",
        "reply: {template: sales-answer, with: {name: Ann}, mode: approve, expires: 1d}",
    )

    all: Flag = Field(False, description="Answer everybody who was written to.")
    once_per: Once | None = Field(None, description="At most one such answer to each sender within a window.")

    @model_validator(mode="after")
    def _limits_only_what_is_sent(self) -> Self:
        if self.mode == "draft" and (self.once_per or self.all):
            setting: Literal["once_per", "all"] = "once_per" if self.once_per else "all"
            raise ValueError(f"'{setting}' does not go with mode: draft")
        return self

    def effects(self, captures: Captures) -> tuple[Effect, ...]:
        inputs = dict(self.with_)
        if self.mode == "draft":
            return (SaveDraft(template=self.template, inputs=inputs, reply=True),)
        once = OncePer(seconds=self.once_per.sender.value) if self.once_per else None
        return (
            SendMessage(
                template=self.template,
                inputs=inputs,
                reply=True,
                all=self.all,
                once_per=once,
                approval=self.approval,
                throttle=self.limit(captures),
                off=self.off,
                at=self.times,
            ),
        )
