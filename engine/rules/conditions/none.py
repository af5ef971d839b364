from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from engine.mail.needs import Needs, union
from engine.rules.condition import Condition, Judged, judge_any, negate
from engine.rules.view import View

if TYPE_CHECKING:
    from engine.rules.condition import Condition as AnyCondition


class Nothing(Condition):
    """Not one of these conditions holds."""

    key = "none"
    bare: ClassVar[str] = "conditions"
    only_bare: ClassVar[bool] = True
    examples = ("none: [{from: '@partner.example'}, {label: Finance}]",)

    conditions: tuple[AnyCondition, ...] = Field(description="Of which none may hold.", min_length=1)

    @property
    def members(self) -> tuple[Condition, ...]:
        return self.conditions

    @property
    def needs(self) -> Needs:
        return union(member.needs for member in self.conditions)

    def judge(self, view: View) -> Judged:
        return negate(judge_any(self.conditions, view))
