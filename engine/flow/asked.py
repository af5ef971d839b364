"""One message that somebody asks for, by API or command line: what may be asked, and what it comes to."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from engine.errors import Place, TemplateError
from engine.flow.calls import SEND_RULE
from engine.flow.written import dump, load
from engine.mail.events import SEND_REQUESTED, Event
from engine.mail.message import no_message
from engine.rules.daytimes import read_at
from engine.rules.effects import DayTimes, Moment, SendMessage
from engine.rules.evaluation import Evaluation, Match
from engine.rules.strict import some
from engine.rules.templated import recipient
from engine.templating.library import Context, Library

MAX_TO = 100
MAX_INPUTS = 100
LONGEST_AHEAD_S = 7 * 86_400
"""What a call brings along is kept for longer than that."""


def _name(text: str) -> str:
    if not text.isidentifier() or text.startswith("_") or len(text) > 100:
        raise ValueError("an input has a name of letters, digits and _")
    return text


def _time(text: str) -> str:
    if text:
        read_at(text)
    return text


class Asked(BaseModel):
    """A template, who gets it and when, and its inputs as plain values: nothing in them is obeyed."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    template: str = Field(max_length=200)
    to: Annotated[tuple[Annotated[str, AfterValidator(recipient)], ...], BeforeValidator(some)] = Field(
        max_length=MAX_TO
    )
    with_: dict[Annotated[str, AfterValidator(_name)], Any] = Field(
        default={}, alias="with", max_length=MAX_INPUTS
    )
    at: Annotated[str, AfterValidator(_time)] = Field("", max_length=40)
    """When it is to go, "" for at once: a time of day, in the mailbox's zone, or a moment."""

    @property
    def inputs(self) -> dict[str, str]:
        """How the template reads each input: as a value, never as a template."""
        return {name: f"{{{{ payload.{name} }}}}" for name in self.with_}

    @property
    def times(self) -> DayTimes | Moment | None:
        """When it is to go; None for at once."""
        return read_at(self.at) if self.at else None

    @property
    def payload(self) -> str:
        """What the template sees as the payload: the inputs alone, as JSON text."""
        return dump(self.with_)


def misfits(library: Library, asked: Asked, mailbox: str, now: datetime) -> list[str]:
    """List what the template has against it, found by filling it in."""
    if (at := asked.times) and isinstance(at, Moment) and at.seconds > now.timestamp() + LONGEST_AHEAD_S:
        return [f"at: lies more than {LONGEST_AHEAD_S // 86_400} days ahead"]
    if found := library.check(asked.template, asked.inputs, Place("with")):
        return [error.message for error in found]
    if library.needs(asked.template):
        return [f"template '{asked.template}' reads a message, and there is none"]
    message, inputs = no_message(mailbox), asked.inputs
    context = Context(
        message, inputs, mailbox=mailbox, now=now, payload=asked.payload, recipients=asked.to, zone=UTC
    )
    try:
        library.render(asked.template, context)
    except TemplateError as error:
        return [str(error)]
    return []


def payload_of(event: Event) -> str:
    """Give what templates see as the payload of a call."""
    if event.kind is not SEND_REQUESTED:
        return event.payload
    return dump(load(event.payload)["with"])


def judge_asked(event: Event) -> Evaluation:
    """Give what was asked for as the match of a rule, so that guard and journal see it as any other."""
    asked = Asked.model_validate(json.loads(event.payload))
    effect = SendMessage(template=asked.template, inputs=asked.inputs, to=asked.to, at=asked.times)
    action = {"send": {"template": asked.template, "to": list(asked.to)}}
    return Evaluation(matches=(Match(SEND_RULE, (action,), (effect,)),))
