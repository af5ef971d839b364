from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from engine.mail.needs import Needs
from engine.rules.condition import Condition, Judge, negate

if TYPE_CHECKING:
    from engine.rules.condition import Condition as AnyCondition


class Not(Condition):
    """This condition does not hold."""

    key = "not"
    bare: ClassVar[str] = "condition"
    only_bare: ClassVar[bool] = True
    examples = ("not: {label: Finance}",)

    condition: AnyCondition = Field(description="What must not hold.")

    @property
    def members(self) -> tuple[Condition, ...]:
        return (self.condition,)

    @property
    def needs(self) -> Needs:
        return self.condition.needs

    def make_judge(self) -> Judge:
        judge = self.condition.judge
        return lambda view: negate(judge(view))
