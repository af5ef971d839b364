from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, Field, model_validator

from engine.mail.events import EventKind
from engine.rules.daytimes import At
from engine.rules.effects import AddToSummary, Effect
from engine.rules.quantities import Duration, Quantity
from engine.rules.strict import Words
from engine.rules.templated import Recipients, Templated
from engine.rules.text import Captures

LONGEST_DAYS = 31
MAX_FIELDS = 20
OF_ALL = frozenset({"date"})
OF_MESSAGES = frozenset({"subject", "from"})
"""What each item tells by itself."""


def _bounded(span: Quantity) -> Quantity:
    if span.value > LONGEST_DAYS * 86_400:
        raise ValueError(f"a summary gathers for at most {LONGEST_DAYS} days")
    return span


class Summary(Templated):
    """Gather what matches, and send one message about all of it when it is due."""

    key = "summary"
    map_schema: ClassVar[Mapping[str, Any]] = {"oneOf": [{"required": ["every"]}, {"required": ["at"]}]}
    hints: ClassVar[Mapping[str, str]] = {
        **Templated.hints,
        **dict.fromkeys(("within", "window", "interval", "each"), "write every: 1h"),
        **dict.fromkeys(("time", "daily", "when", "weekday"), "write at: '08:00', or at: {time: ...}"),
        **dict.fromkeys(("by", "per", "group", "group_by"), "write 'key'"),
        **dict.fromkeys(("items", "item", "fields"), "write 'with'"),
    }
    examples = (
        "summary: {template: digest, to: [team@acme.example], at: '08:00'}",
        "summary: {template: digest, to: [ops@acme.example], key: '{{ message.from.address }}', every: 1h}",
    )

    to: Recipients = Field(description="Who gets it; fixed addresses, never taken from a message.")
    key_: Words = Field(
        "",
        alias="key",
        description="Each key has a summary of its own; written as texts of `with` are.",
    )
    every: Annotated[Duration, AfterValidator(_bounded)] | None = Field(
        None, description="It is due so long after the first that it tells of."
    )
    at: At | None = Field(None, description="It is due at the next such time.")
    with_: dict[str, Words] = Field(
        default={},
        alias="with",
        max_length=MAX_FIELDS,
        description="What the template reads of each item beside `subject`, `from` and `date`; "
        "`captures`, `message`, `payload` and `steps` may stand in it.",
    )

    @model_validator(mode="after")
    def _is_due_at_some_time(self) -> Self:
        if (self.every is None) == (self.at is None):
            raise ValueError("write either every: 1h or at: '08:00'")
        return self

    @property
    def of_message(self) -> bool:
        return False

    def effects(self, captures: Captures) -> tuple[Effect, ...]:
        return (
            AddToSummary(
                template=self.template,
                to=self.to,
                inputs=dict(self.with_),
                key=self.key_,
                every=self.every.value if self.every else 0,
                at=self.at.times if self.at else None,
            ),
        )

    def items(self, event: EventKind) -> frozenset[str]:
        return frozenset(self.with_) | OF_ALL | (OF_MESSAGES if event.of_message else frozenset())

    def texts(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        yield from super().texts()
        yield ("key",), self.key_
