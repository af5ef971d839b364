"""The shape of a rule file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetJsonSchemaHandler,
    PlainValidator,
    WithJsonSchema,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from engine.mail.events import EventKind
from engine.rules import hints, registry
from engine.rules.addresses import AddressText
from engine.rules.components import rule_or_group
from engine.rules.event_name import EventName
from engine.rules.given_message import Fixture, Given, Moment, State
from engine.rules.hints import below
from engine.rules.patterns import Globs, Pattern
from engine.rules.strict import (
    NOT_EMPTY,
    TEXT_SCHEMA,
    AnyWords,
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


class ExpectLabels(Strict):
    """What this rule's own label changes come to."""

    add: AnyWords = Field((), description="Labels it puts on.")
    remove: AnyWords = Field((), description="Labels it takes off.")


def _action_name(value: Any) -> Any:
    if isinstance(value, str) and value in registry.ACTIONS:
        return value
    return registry.ACTION.validate_python(value)


class _ByName:
    """Shows that an action may stand there by its name alone, and one for a list of one."""

    def __get_pydantic_json_schema__(
        self, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        name = {"enum": sorted(registry.ACTIONS)}
        each = {"anyOf": [name, {"$comment": "action"}]}
        return {"anyOf": [name, {"type": "array", "items": each}]}


ExpectedActions = Annotated[
    tuple[Annotated[Any, PlainValidator(_action_name)], ...], BeforeValidator(listed), _ByName()
]


class Expect(Strict):
    """What this rule does within the whole set. Each key that is given is exact."""

    map_schema: ClassVar[Mapping[str, Any]] = NOT_EMPTY

    matched: Flag | None = Field(None, description="Whether the rule matches.")
    undecided: Flag | None = Field(
        None, description="Whether it cannot be judged, as where it asks for what is encrypted."
    )
    actions: ExpectedActions | None = Field(None, description="Its actions in order, by name or written out.")
    captures: dict[str, Words] | None = Field(None, description="What its patterns capture.")
    stop: Flag | None = Field(None, description="Whether it ends its layer.")
    labels: ExpectLabels | None = Field(None, description="What its own label changes come to.")

    @model_validator(mode="after")
    def _expects_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError(f"expects nothing; write one of {', '.join(self.keys())}")
        return self


class RuleTest(Strict):
    """One test of a rule, judged against the whole rule set."""

    map_schema: ClassVar[Mapping[str, Any]] = {"not": {"required": ["given", "fixture"]}}

    name: Words = Field(description="What it shows, as a sentence.")
    given: Given = Field(Given(), description="The message.")
    fixture: Fixture | None = Field(
        None, description="An .eml file beside the rule file, instead of `given`."
    )
    now: Moment | None = Field(None, description="The time of judging.")
    state: State = Field(State(), description="What was before it.")
    expect: Expect = Field(description="What the rule does.")

    @model_validator(mode="after")
    def _either_given_or_fixture(self) -> Self:
        if self.fixture is not None and "given" in self.model_fields_set:
            raise ValueError("has both 'given' and 'fixture'; write given: {fixture: ...} for both")
        return self

    @property
    def message(self) -> Given:
        """What the test is given, wherever its fixture was named."""
        return self.given if self.fixture is None else Given(fixture=self.fixture)


DOES_SOMETHING: Mapping[str, Any] = {
    "anyOf": [
        {"required": ["then"], "properties": {"then": {"minItems": 1}}},
        {"required": ["stop"], "properties": {"stop": {"const": True}}},
    ]
}


class _Outermost(Strict):
    """What a rule or a group says that stands in no group."""

    event: EventName = Field(
        EventKind.MESSAGE_RECEIVED,
        description="The kind of event it listens to; `hook.NAME`: calls of that hook; "
        "`emitted.NAME`: what `emit` sets off.",
    )
    mailboxes: Mailboxes | None = Field(
        None, description="Mailboxes it applies to, instead of the file's; globs."
    )
    layer: Layer | None = Field(None, description="before, default or after; the file's unless given.")
    priority: Whole = Field(0, description="Lower comes first.")


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
