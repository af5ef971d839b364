from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field

from engine.mail.events import EMITTED, NAME
from engine.rules.effects import Effect, EmitEvent
from engine.rules.filling import check_json, uses_message
from engine.rules.given_message import Payload
from engine.rules.limited import Limited
from engine.rules.strict import Words
from engine.rules.text import Captures


def _event(name: str) -> str:
    bare = name.removeprefix(EMITTED)
    if not NAME.fullmatch(bare):
        raise ValueError(f"'{name}' is no event's name: letters, digits, '-' and '_', at most 63")
    return bare


class Emit(Limited):
    """Set off an event about the same message, to which rules listen as `event: emitted.NAME`."""

    key = "emit"
    bare: ClassVar[str] = "event"
    hints: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("name", "type", "kind"), "write 'event'"),
        **dict.fromkeys(("data", "json", "with", "body"), "write 'payload'"),
    }
    examples = (
        "emit: invoice-found",
        "emit: {event: invoice-found, payload: {order: '48211', from: '{{ message.sender }}'}}",
    )

    event: Annotated[Words, AfterValidator(_event)] = Field(description="Its name.")
    payload: Annotated[Payload, AfterValidator(check_json)] = Field(
        "{}",
        description="What `payload` conditions of rules that listen read; written as `json` of `http`.",
    )

    @property
    def of_message(self) -> bool:
        return bool(uses_message(self.payload))

    def effects(self, captures: Captures) -> tuple[Effect, ...]:
        return (EmitEvent(event=self.event, body=self.payload, throttle=self.limit(captures)),)

    def texts(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        yield ("payload",), self.payload
        yield from super().texts()

    def shown(self, captures: Captures) -> Any:
        return self.dumped
