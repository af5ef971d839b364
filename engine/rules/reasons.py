"""Why a condition came out as it did, with the values compared."""

from __future__ import annotations

from engine.errors import ConditionError
from engine.rules.condition import Condition
from engine.rules.evaluation import Reason, Verdict
from engine.rules.lacking import lacking
from engine.rules.shown import cut
from engine.rules.view import View

MAX_WANTED = 400
"""Characters shown of what a condition asks for; lists can be long."""


def reason_of(condition: Condition, view: View, path: str) -> Reason:
    """Judge a condition once more, member by member, and put it into words."""
    here = f"{path}.{condition.key}"
    judged = condition.judge(view)
    single, sight = condition.key in ("not", "group"), condition.sight(view)
    children = tuple(
        reason_of(member, sight, here if single else f"{here}[{index}]")
        for index, member in enumerate(condition.members)
    )
    if children:
        return Reason(here, judged.verdict, _counted(children), children)
    wanted = f"asked for {cut(condition.wanted(), MAX_WANTED)}"
    if judged.verdict is Verdict.UNDECIDED:
        return Reason(here, judged.verdict, f"{judged.why}; {wanted}")
    lacks = lacking(condition, view) if judged.verdict is Verdict.NOT_MATCHED else ""
    return Reason(here, judged.verdict, f"found {_seen(condition, view)}; {wanted}", lacks=lacks)


def _seen(condition: Condition, view: View) -> str:
    try:
        return condition.seen(view)
    except ConditionError as error:
        return f"what decides; {error}"


def _counted(children: tuple[Reason, ...]) -> str:
    matched = sum(child.verdict is Verdict.MATCHED for child in children)
    undecided = sum(child.verdict is Verdict.UNDECIDED for child in children)
    unknown = f", {undecided} undecided" if undecided else ""
    return f"{matched} of {len(children)} hold{unknown}"
