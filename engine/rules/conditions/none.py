from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import BeforeValidator, Field

from engine.mail.needs import Needs, union
from engine.rules.condition import Condition, Judge, judge_any, negate
from engine.rules.strict import not_empty

if TYPE_CHECKING:
    from engine.rules.condition import Condition as AnyCondition


class Nothing(Condition):
    """Not one of these conditions holds."""

    key = "none"
    bare: ClassVar[str] = "conditions"
    only_bare: ClassVar[bool] = True
    examples = ("none: [{from: '@partner.example'}, {label: Finance}]",)

    conditions: Annotated[tuple[AnyCondition, ...], BeforeValidator(not_empty)] = Field(
        description="Of which none may hold.", json_schema_extra={"minItems": 1}
    )

    @property
    def members(self) -> tuple[Condition, ...]:
        return self.conditions

    @property
    def needs(self) -> Needs:
        return union(member.needs for member in self.conditions)

    def make_judge(self) -> Judge:
        members = self.conditions
        return lambda view: negate(judge_any(members, view))
