"""A test of a rule, as it stands beside it: what is given, what was before, what is expected."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler, PlainValidator, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from engine.rules import registry
from engine.rules.given_message import Fixture, Given, Moment, State
from engine.rules.strict import NOT_EMPTY, AnyWords, Flag, Strict, Words, listed


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
