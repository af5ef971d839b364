"""What a run has still to do that waits for its time, a person or the brake, and giving that up. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from engine.flow.approvals import WAITS, Standing, told_of
from engine.flow.approving import WHY, wanted
from engine.flow.gate import PAUSED
from engine.flow.recorded import Recorded
from engine.flow.taking_back import Taken
from engine.rules.effects import SendMessage

Receipts = Mapping[int, Mapping[str, str]]
"""By step."""
SKIPPED = {"outcome": "skipped", "why": "it was undone before its time"}
LATER = Taken("steps that wait for their time", "step that waits for its time")
ASKED = Taken("the message that waits for approval: it is rejected", "message that waits for approval")
BRAKED = Taken("the message that waits while sends are paused", "message that waits while sends are paused")
BY_DRAFT = "it waits for what becomes of its draft: delete that in the mailbox, then undo the run"


def waiting_steps(recorded: Recorded) -> tuple[int, ...]:
    """Give the steps of a run that wait for the time of the first of them, or until it may be done."""
    run, left = recorded.run, _left(recorded)
    if not left or left[0] < run.grouped or waits_by_draft(recorded):
        return ()
    return left if _asks(recorded) or _is_braked(recorded) or run.steps[left[0]].after else ()


def waits_by_draft(recorded: Recorded) -> bool:
    """Say whether it waits for a person who sends or deletes a draft in the mailbox."""
    if not _asks(recorded):
        return False
    approval = wanted(recorded.run.steps[_left(recorded)[0]])
    return approval is not None and approval.draft


def given_up(recorded: Recorded, by: str, now: int) -> Receipts:
    """Give the receipts of what is given up by somebody, now (epoch ms)."""
    steps = waiting_steps(recorded)
    if not _asks(recorded):
        return dict.fromkeys(steps, SKIPPED)
    decision = told_of(Standing.REJECTED, by, now, "the run was undone")
    first = {"outcome": "held", "why": WHY[Standing.REJECTED.value], **decision}
    return {**dict.fromkeys(steps, SKIPPED), steps[0]: first} if steps else {}


def told(before: Recorded, now: Recorded) -> tuple[Taken, ...]:
    """Say what of a run was given up, or would be; nothing of what was done meanwhile."""
    steps = waiting_steps(before)
    if not steps or now.receipts.get(steps[0], {}).get("outcome") == "done":
        return ()
    if _is_braked(before):
        return (BRAKED,)
    return (ASKED,) if _asks(before) else (LATER,)


def _left(recorded: Recorded) -> tuple[int, ...]:
    if recorded.state != "open":
        return ()
    return tuple(step for step in range(len(recorded.run.steps)) if step not in recorded.receipts)


def _asks(recorded: Recorded) -> bool:
    left = _left(recorded)
    return bool(left) and recorded.why == WAITS and wanted(recorded.run.steps[left[0]]) is not None


def _is_braked(recorded: Recorded) -> bool:
    left = _left(recorded)
    return (
        bool(left)
        and recorded.why.startswith(PAUSED)
        and isinstance(recorded.run.steps[left[0]], SendMessage)
    )
