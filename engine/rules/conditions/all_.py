from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import BeforeValidator, Field

from engine.mail.needs import Needs, union
from engine.rules.clues import Clues, narrowest
from engine.rules.condition import Condition, Judge, judge_all
from engine.rules.strict import not_empty

if TYPE_CHECKING:
    from engine.rules.condition import Condition as AnyCondition


class All(Condition):
    """Every one of these conditions holds."""

    key = "all"
    bare: ClassVar[str] = "conditions"
    only_bare: ClassVar[bool] = True
    examples = ("all: [{from: '@partner.example'}, {subject: {contains: invoice}}]",)

    conditions: Annotated[tuple[AnyCondition, ...], BeforeValidator(not_empty)] = Field(
        description="What must hold.", json_schema_extra={"minItems": 1}
    )

    @property
    def members(self) -> tuple[Condition, ...]:
        return self.conditions

    @property
    def needs(self) -> Needs:
        return union(member.needs for member in self.conditions)

    @property
    def clues(self) -> Clues | None:
        return narrowest(member.clues for member in self.conditions)

    @property
    def possible_captures(self) -> frozenset[str]:
        return frozenset[str]().union(*(member.possible_captures for member in self.conditions))

    @property
    def sure_captures(self) -> frozenset[str]:
        return frozenset[str]().union(*(member.sure_captures for member in self.conditions))

    def make_judge(self) -> Judge:
        members = self.conditions
        return lambda view: judge_all(members, view)
