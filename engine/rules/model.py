"""The shape of a rule file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainValidator,
    WithJsonSchema,
    model_validator,
)

from engine.mail.events import MESSAGE_UNANSWERED, SCHEDULE, SCHEDULED, UNANSWERED, EventKind
from engine.rules import hints, registry
from engine.rules.addresses import AddressText
from engine.rules.components import rule_or_group
from engine.rules.event_name import EventName
from engine.rules.expected import RuleTest
from engine.rules.hints import below
from engine.rules.patterns import Globs, Pattern
from engine.rules.quantities import Duration
from engine.rules.schedule import Schedule
from engine.rules.strict import (
    TEXT_SCHEMA,
    Flag,
    Strict,
    Whole,
    Words,
    listed,
    not_empty,
)

if TYPE_CHECKING:
    from engine.rules.action import Action as AnyAction
    from engine.rules.condition import Condition as AnyCondition
else:
    AnyAction, AnyCondition = registry.AnyAction, registry.AnyCondition

MAX_BRANCHES = 500
"""Groups side by side in a group of `mode: first`: each has to know of all before it."""
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)


def _id(text: str) -> str:
    if not _ID.fullmatch(text):
        raise ValueError(f"'{text}' is no id: letters, digits, '-', '_' and '.', at most 100, no blanks")
    return text


Id = Annotated[
    Words, AfterValidator(_id), WithJsonSchema({**TEXT_SCHEMA, "pattern": f"^{_ID.pattern}$", "minimum": 0})
]


def _mailboxes(globs: tuple[Pattern, ...]) -> tuple[Pattern, ...]:
    for glob in globs:
        if not {"@", "*", "?"} & set(glob.source):
            raise ValueError(
                f"'{glob.source}' is no mailbox; write {glob.source}@x.example or {glob.source}@*"
            )
    return globs


Mailboxes = Annotated[Globs, AfterValidator(_mailboxes)]


def _version(value: Any) -> int:
    if value != "1":
        raise ValueError("must be 1, the only version of this format there is")
    return 1


Version = Annotated[int, PlainValidator(_version), WithJsonSchema({"const": 1})]
Layer = Literal["before", "default", "after"]
Mode = Literal["first", "all"]
RuleState = Literal["live", "shadow", "off"]


DOES_SOMETHING: Mapping[str, Any] = {
    "anyOf": [
        {"required": ["then"], "properties": {"then": {"minItems": 1}}},
        {"required": ["stop"], "properties": {"stop": {"const": True}}},
    ]
}


_SAYS_WHEN = (
    ("after", MESSAGE_UNANSWERED, "48h"),
    ("schedule", SCHEDULE, "'0 9 * * mon-fri'"),
)


SAYS_WHEN: Mapping[str, Any] = {
    "allOf": [
        {
            "if": {"properties": {"event": {"const": event}}, "required": ["event"]},
            "then": {"required": [key]},
            "else": {"not": {"required": [key]}},
        }
        for key, event, _ in _SAYS_WHEN
    ]
}


def _elsewhere(key: str) -> str:
    return "; for an action that waits, write it in the action" if key == "after" else ""


class _Outermost(Strict):
    """What a rule or a group says that stands in no group."""

    id: Id
    event: EventName = Field(
        EventKind.MESSAGE_RECEIVED,
        description="The kind of event it listens to; `hook.NAME`: calls of that hook; "
        "`emitted.NAME`: what `emit` sets off; `message.unanswered` and `schedule`: see [timers](timers.md).",
    )
    mailboxes: Mailboxes | None = Field(
        None, description="Mailboxes it applies to, instead of the file's; globs."
    )
    layer: Layer | None = Field(None, description="before, default or after; the file's unless given.")
    priority: Whole = Field(0, description="Lower comes first.")
    after: Duration | None = Field(
        None, description="With `event: message.unanswered`: so long after a message came."
    )
    schedule: Schedule | None = Field(
        None, description="With `event: schedule`: when mailboxes are looked through; a cron line."
    )

    @model_validator(mode="after")
    def _says_when(self) -> Self:
        for key, event, example in _SAYS_WHEN:
            given = getattr(self, key) is not None
            if given and self.event is not event:
                raise ValueError(f"'{key}' goes with event: {event}{_elsewhere(key)}")
            if self.event is event and not given:
                raise ValueError(f"event: {event} asks when; write {key}: {example}")
        return self

    @property
    def kind(self) -> EventKind:
        """The kind of event that it hears: each `after`, and each schedule, has one of its own."""
        if self.after is not None:
            return EventKind(f"{UNANSWERED}{self.after.value}")
        return EventKind(f"{SCHEDULED}{self.id}") if self.schedule else self.event


class _Deed(Strict):
    """What a rule says wherever it stands."""

    map_schema: ClassVar[Mapping[str, Any]] = DOES_SOMETHING

    id: Id = Field(description="Its name for ever: journals, metrics and once-keys use it.")
    title: Words = Field("", description="What it is for.")
    then: tuple[AnyAction, ...] = Field((), description="What to do, in order.")
    stop: Flag = Field(False, description="Whether a match ends the layer.")
    state: RuleState = Field(
        "live",
        description="`live`: it acts. `shadow`: it is judged and its runs are recorded, but nothing is done. "
        "`off`: it is not asked. Its tests run in any case.",
    )
    tests: tuple[RuleTest, ...] = Field((), description="Its tests.")

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if not self.then and not self.stop:
            raise ValueError("does nothing; write 'then', or 'stop: true'")
        return self


RULE_HINTS: Mapping[str, str] = {
    **below("when", registry.CONDITIONS, "{{{}: ...}}"),
    **below("then", registry.ACTIONS, "[{{{}: ...}}]"),
    **hints.RULE,
}


class RuleModel(_Deed, _Outermost):
    """One rule: when it applies, and what it then does."""

    map_schema: ClassVar[Mapping[str, Any]] = {**DOES_SOMETHING, **SAYS_WHEN}
    hints: ClassVar[Mapping[str, str]] = RULE_HINTS
    beside: ClassVar[tuple[str, ...]] = ("group",)

    when: AnyCondition = Field(description="One condition.")


class GroupedRule(_Deed):
    """A rule in a group, which says where, to what and in which order it applies."""

    hints: ClassVar[Mapping[str, str]] = {**RULE_HINTS, **hints.OF_GROUP}
    beside: ClassVar[tuple[str, ...]] = ("group",)

    when: AnyCondition | None = Field(
        None, description="One condition; without any, the rule always applies that is reached: an else."
    )


class InnerGroup(Strict):
    """Rules that belong together."""

    hints: ClassVar[Mapping[str, str]] = {**hints.GROUP, **hints.OF_GROUP}

    id: Id = Field(description="Its name, for people to find it by.")
    title: Words = Field("", description="What it is for.")
    mode: Mode = Field(
        "all",
        description="`all`: every member that holds applies. "
        "`first`: only the first one does, as with if, else if and else.",
    )
    when: AnyCondition | None = Field(
        None, description="What has to hold before any member is looked at; asked once, when it is reached."
    )
    rules: Annotated[tuple[AnyMember, ...], BeforeValidator(not_empty)] = Field(
        description="The members: rules, or further groups.", json_schema_extra={"minItems": 1}
    )

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.mode == "first" and sum(isinstance(one, InnerGroup) for one in self.rules) > MAX_BRANCHES:
            raise ValueError(f"mode: first takes at most {MAX_BRANCHES} groups; nest them")
        return self


class GroupModel(InnerGroup, _Outermost):
    """A group of rules: they apply together, or only the first that holds."""

    map_schema: ClassVar[Mapping[str, Any]] = SAYS_WHEN


if TYPE_CHECKING:
    AnyMember = GroupedRule | InnerGroup
    AnyItem = RuleModel | GroupModel
else:
    AnyMember = rule_or_group(GroupedRule, InnerGroup)
    InnerGroup.model_rebuild()
    GroupModel.model_rebuild()
    AnyItem = rule_or_group(RuleModel, GroupModel)


AddressList = Annotated[
    tuple[AddressText, ...],
    BeforeValidator(listed),
    WithJsonSchema({"anyOf": [TEXT_SCHEMA, {"type": "array", "items": TEXT_SCHEMA}]}),
]


class RuleFile(Strict):
    """Rules for mailboxes, in the order in which they are judged."""

    hints: ClassVar[Mapping[str, str]] = hints.FILE

    version: Version = Field(1, description="The version of this format.")
    mailboxes: Mailboxes | None = Field(
        None, description="Mailboxes that rules apply to which name none; globs; all unless given."
    )
    layer: Layer = Field("default", description="before, default or after.")
    lists: Mapping[str, AddressList] = Field(
        {}, description="Lists of addresses (`ann@x.example`) and domains (`@x.example`) by name."
    )
    rules: tuple[AnyItem, ...] = Field((), description="The rules, and groups of them.")
