from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from engine.mail.needs import Needs, union
from engine.rules.condition import Condition, Judged, judge_all
from engine.rules.view import View

if TYPE_CHECKING:
    from engine.rules.condition import Condition as AnyCondition


class All(Condition):
    """Every one of these conditions holds."""

    key = "all"
    bare: ClassVar[str] = "conditions"
    only_bare: ClassVar[bool] = True
    examples = ("all: [{from: '@partner.example'}, {subject: {contains: invoice}}]",)

    conditions: tuple[AnyCondition, ...] = Field(description="What must hold.", min_length=1)

    @property
    def members(self) -> tuple[Condition, ...]:
        return self.conditions

    @property
    def needs(self) -> Needs:
        return union(member.needs for member in self.conditions)

    @property
    def possible_captures(self) -> frozenset[str]:
        return frozenset[str]().union(*(member.possible_captures for member in self.conditions))

    @property
    def sure_captures(self) -> frozenset[str]:
        return frozenset[str]().union(*(member.sure_captures for member in self.conditions))

    def judge(self, view: View) -> Judged:
        return judge_all(self.conditions, view)
