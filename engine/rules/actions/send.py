from __future__ import annotations

from pydantic import Field

from engine.rules.effects import Effect, SaveDraft, SendMessage
from engine.rules.templated import ModeField, Recipients, Templated
from engine.rules.text import Captures


class Send(Templated):
    """Send a message of its own, from a template, to fixed addresses."""

    key = "send"
    examples = ("send: {template: new-order, to: [orders@acme.example], with: {order: '48211'}}",)

    to: Recipients = Field(description="Who gets it; fixed addresses, never taken from a message.")
    mode: ModeField = Field("send", description="`draft` leaves the message for a person to send.")

    @property
    def of_message(self) -> bool:
        return False

    def effects(self, captures: Captures) -> tuple[Effect, ...]:
        made = SaveDraft if self.mode == "draft" else SendMessage
        return (made(template=self.template, inputs=dict(self.with_), to=self.to),)
