from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from engine.rules.effects import Effect, SaveDraft, SendMessage
from engine.rules.templated import Recipients, Sends, Templated
from engine.rules.text import Captures


class Send(Sends, Templated):
    """Send a message of its own, from a template, to fixed addresses."""

    key = "send"
    map_schema: ClassVar[Mapping[str, Any]] = Sends.by_mode
    examples = (
        "send: {template: new-order, to: [orders@acme.example], with: {order: '48211'}}",
        "send: {template: reminder, to: [sales@acme.example], at: {time: '08:00', weekday: [mon, thu]}}",
    )

    to: Recipients = Field(description="Who gets it; fixed addresses, never taken from a message.")

    @property
    def of_message(self) -> bool:
        return False

    def effects(self, captures: Captures) -> tuple[Effect, ...]:
        inputs = dict(self.with_)
        if self.mode == "draft":
            return (SaveDraft(template=self.template, inputs=inputs, to=self.to),)
        return (
            SendMessage(
                template=self.template,
                inputs=inputs,
                to=self.to,
                approval=self.approval,
                at=self.times,
                throttle=self.limit(captures),
                off=self.off,
            ),
        )
