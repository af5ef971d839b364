from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from engine.rules.effects import Effect, SaveDraft, SendMessage
from engine.rules.templated import Recipients, Sends
from engine.rules.text import Captures


class Forward(Sends):
    """Send the message on to fixed addresses within our own domains, or those of `outbound.allow`."""

    key = "forward"
    bare: ClassVar[str] = "to"
    map_schema: ClassVar[Mapping[str, Any]] = Sends.by_mode
    hints: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("template", "with"), "a forward takes none; 'send' writes a message of its own"),
        "with_attachments": "they go along in any case",
    }
    examples = (
        "forward: {to: [accounting@acme.example], as: attachment}",
        "forward: accounting@acme.example",
    )

    to: Recipients = Field(description="Who gets it; fixed addresses, never taken from a message.")
    as_: Literal["inline", "attachment"] = Field(
        "inline",
        alias="as",
        description="`inline`: its text below a few lines that name it, its files along; "
        "`attachment`: the whole message as it was received, as a file.",
    )

    def effects(self, captures: Captures) -> tuple[Effect, ...]:
        if self.mode == "draft":
            return (SaveDraft(to=self.to, forward=self.as_),)
        return (
            SendMessage(
                to=self.to,
                forward=self.as_,
                approval=self.approval,
                at=self.times,
                throttle=self.limit(captures),
                off=self.off,
            ),
        )

    def reaches(self) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
        for number, address in enumerate(self.to):
            yield ("to", number), "recipient", address
