"""What the actions that write mail have in common: a template, its inputs, the mode."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainValidator,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)

from engine.mail.address import parse_addresses
from engine.mail.compose import is_sendable
from engine.mail.events import EventKind
from engine.rules import hints
from engine.rules.action import Action
from engine.rules.daytimes import At
from engine.rules.effects import Approval, DayTimes, Switch
from engine.rules.findings import unknown
from engine.rules.limited import Limited, Unguarded
from engine.rules.quantities import Duration, Quantity
from engine.rules.strict import TEXT_SCHEMA, Words, some, without

Mode = Literal["send", "draft", "approve"]
MODES = ("send", "draft", "approve")
LONGEST_APPROVAL_S = 14 * 86_400
"""What else belongs to the run is kept for longer than that."""


def _mode(value: Any) -> Any:
    if not isinstance(value, str):
        raise ValueError(f"must be one of {', '.join(MODES)}")
    if value not in MODES:
        raise ValueError(unknown("mode", value, MODES))
    return value


def _bounded(expires: Quantity | None) -> Quantity | None:
    if expires and expires.value > LONGEST_APPROVAL_S:
        raise ValueError("an approval expires after 14d at the latest")
    return expires


def _template(name: str, info: ValidationInfo) -> str:
    known = (info.context or {}).get("templates")
    if known is not None and name not in known:
        raise ValueError(unknown("template", name, known))
    return name


TemplateName = Annotated[Words, AfterValidator(_template)]


def recipient(text: str) -> str:
    """Check one address that a rule or a caller names. Raises ValueError."""
    if "{{" in text or "{%" in text:
        raise ValueError("a recipient is fixed: what a message says never decides who gets mail")
    written, found = text.strip(), parse_addresses([text])
    alone = len(found) == 1 and is_sendable(found[0])
    # Of `our desk@x.example` a mail program makes a name and an address: here it is a slip.
    bare = alone and (written == found[0].address or written.endswith(">"))
    if not bare or not text.isprintable():
        raise ValueError(f"'{text}' is no address, such as ann@x.example")
    return written


Recipients = Annotated[
    tuple[Annotated[Words, AfterValidator(recipient)], ...],
    BeforeValidator(some),
    Field(max_length=100),
    WithJsonSchema({"anyOf": [TEXT_SCHEMA, {"type": "array", "items": TEXT_SCHEMA, "minItems": 1}]}),
]


class Sends(Limited):
    """An action that sends, at once or by a person's leave."""

    by_mode: ClassVar[Mapping[str, Any]] = {
        "allOf": [
            {
                "if": {"properties": {"mode": {"const": "approve"}}, "required": ["mode"]},
                "else": {"not": {"anyOf": [{"required": ["expires"]}, {"required": ["in"]}]}},
            },
            {"if": {"required": ["at"]}, "then": {"properties": {"mode": {"const": "send"}}}},
            without("mode", "draft", ["throttle", "guard"]),
        ]
    }
    """What the schema says of the keys that go with some modes alone."""

    mode: Annotated[Mode, PlainValidator(_mode), WithJsonSchema({"enum": list(MODES)})] = Field(
        "send",
        description="`draft` leaves the message for a person to send; `approve` sends it once a person has "
        "approved it (`postroom approvals`).",
    )
    expires: Annotated[Duration | None, AfterValidator(_bounded)] = Field(
        None,
        description="With `mode: approve`: how long that may take, at most 14d; else it is not sent. "
        "`approvals.expire` of the configuration unless given.",
    )
    in_: Literal["draft"] | None = Field(
        None,
        alias="in",
        description="With `mode: approve`: `draft` leaves it as a draft in the mailbox; sending that "
        "approves it, deleting it rejects it.",
    )
    at: At | None = Field(
        None, description="It goes at the next such time; until then it lies with what is scheduled."
    )
    guard: Unguarded | None = Field(None, description="What of the guard is switched off, and why.")

    @model_validator(mode="after")
    def _keeps_only_what_is_sent(self) -> Self:
        if self.at and self.mode != "send":
            raise ValueError("'at' goes with mode: send only")
        return self

    @model_validator(mode="after")
    def _limits_only_what_it_sends(self) -> Self:
        if self.mode == "draft" and (self.throttle or self.guard):
            raise ValueError(f"'{'throttle' if self.throttle else 'guard'}' does not go with mode: draft")
        return self

    @model_validator(mode="after")
    def _expires_only_what_waits(self) -> Self:
        if (self.expires or self.in_) and self.mode != "approve":
            raise ValueError(f"'{'expires' if self.expires else 'in'}' goes with mode: approve only")
        return self

    @property
    def approval(self) -> Approval | None:
        """What has to happen before the message is sent; None where nothing has."""
        if self.mode != "approve":
            return None
        return Approval(seconds=self.expires.value if self.expires else 0, draft=self.in_ == "draft")

    @property
    def off(self) -> tuple[Switch, ...]:
        """What of the guard is switched off."""
        return self.guard.off if self.guard else ()

    @property
    def times(self) -> DayTimes | None:
        """When the message is to go; None for at once."""
        return self.at.times if self.at else None


class Templated(Action):
    """An action that fills a template in."""

    hints: ClassVar[Mapping[str, str]] = hints.TEMPLATED
    bare: ClassVar[str] = "template"

    template: TemplateName = Field(description="A template by its name.")
    with_: dict[str, Words] = Field(
        default={},
        alias="with",
        description="The template's inputs; `{{ captures.NAME }}` may stand in them.",
    )

    def texts(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        for key, text in self.with_.items():
            yield ("with", key), text

    def items(self, event: EventKind) -> frozenset[str] | None:
        """Name what each item tells where the template is about many; None where it is about one message."""
        return None
