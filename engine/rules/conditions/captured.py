from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import Field, model_validator

from engine.mail.needs import Needs
from engine.rules.clues import Clues
from engine.rules.condition import NOT_MATCHED, Condition, Judge, Judged
from engine.rules.evaluation import Verdict
from engine.rules.shown import MAX_VALUES, shown
from engine.rules.strict import Words
from engine.rules.text import Text, TextKinds
from engine.rules.view import View

if TYPE_CHECKING:
    from engine.rules.condition import Condition as AnyCondition


class Captured(TextKinds, Condition):
    """What a pattern of another condition captured, which has to hold; "" where its group took no part."""

    key = "captured"
    bare: ClassVar[str] = ""
    examples = (
        r"captured: {of: {header: {name: List-Id, regex: '<(?P<list>[^.>]+)'}}, name: list, is: [dev, ops]}",
    )

    of: AnyCondition = Field(description="The condition with the pattern.")
    name: Words = Field(description="The name of its group.")

    @model_validator(mode="after")
    def _asks_of_a_capture(self) -> Self:
        if not any(getattr(self, kind) is not None for kind in TextKinds.model_fields):
            raise ValueError(f"asks nothing; write one of {', '.join(TextKinds.keys())}")
        if self.name not in self.of.possible_captures:
            raise ValueError(f"no pattern below 'of' has a group (?P<{self.name}>...)")
        return self

    @property
    def inner(self) -> tuple[AnyCondition, ...]:
        return (self.of,)

    @property
    def needs(self) -> Needs:
        return self.of.needs

    @property
    def clues(self) -> Clues | None:
        return self.of.clues

    @property
    def possible_captures(self) -> frozenset[str]:
        return super().possible_captures | self.of.possible_captures

    @property
    def sure_captures(self) -> frozenset[str]:
        return super().sure_captures | self.of.sure_captures

    def make_judge(self) -> Judge:
        inner, name, match = self.of.judge, self.name, self.match_any

        def judge(view: View) -> Judged:
            judged = inner(view)
            if judged.verdict is not Verdict.MATCHED:
                return judged
            found = match([Text(judged.captures.get(name, ""))])
            if found is None:
                return NOT_MATCHED
            return Judged(Verdict.MATCHED, {**judged.captures, **found}, judged.needs)

        return judge

    def dump(self) -> Any:
        own = self.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude={"of"})
        return {"of": {self.of.key: self.of.dump()}, **own}

    def seen(self, view: View) -> str:
        judged = self.of.judge(view)
        if judged.verdict is Verdict.MATCHED:
            return shown([judged.captures.get(self.name, "")])
        return f"{_seen(self.of, view)}, of which nothing was captured"


def _seen(condition: AnyCondition, view: View) -> str:
    """Say what the message has where a condition looks, or where the first few of its members do."""
    members = condition.members[:MAX_VALUES]
    return "; ".join(_seen(member, view) for member in members) or condition.seen(view)
