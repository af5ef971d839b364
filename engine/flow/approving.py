"""The step of a message that a person has to approve: ask, wait, and go by what was decided."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

from engine.flow.approvals import MAX_SIZE, MAX_WAITING, Decision, Letter, Standing
from engine.flow.executing import AwaitingError, NotYetError, Receipt, Work
from engine.flow.rewriting import about_of
from engine.mail.bodies import UnsendableError
from engine.rules.effects import Approval, Effect, SendMessage

WHY = {
    Standing.REJECTED.value: "a person rejected it",
    Standing.EXPIRED.value: "nobody approved it in time",
}


def wanted(effect: Effect) -> Approval | None:
    """Say what a person has to approve before the effect is performed."""
    return effect.approval if isinstance(effect, SendMessage) else None


def refused_before(receipts: Mapping[int, Receipt]) -> Receipt | None:
    """Give the receipt of a step behind a message that was not approved: it follows on from it."""
    for step, receipt in receipts.items():
        if why := WHY.get(receipt.get("approval", "")):
            return {"outcome": "held", "why": f"step {step} was not done: {why}"}
    return None


async def look_at(work: Work, effect: Effect) -> Letter | None:
    """Give what a person decided about this step, None before anybody was asked.

    Raises AwaitingError while nobody has decided.
    """
    approvals, run = work.executing.approvals, work.run.id
    letter = await approvals.get(run) if wanted(effect) else None
    if letter is None or letter.step != work.step:
        return None
    if letter.standing is not Standing.PENDING:
        return letter
    if (now := work.executing.clock()) < letter.expires:
        await approvals.ask(work.claim, letter)
        raise AwaitingError(letter.expires)
    await approvals.decide(run, Decision(Standing.EXPIRED), now)
    return await approvals.get(run)


def refusal(letter: Letter) -> Receipt | None:
    """Give the receipt of a message that is not sent; None for one that was approved."""
    if why := WHY.get(letter.standing.value):
        return {"outcome": "held", "why": why, **letter.told()}
    return None


async def ask(work: Work, approval: Approval, raw: bytes) -> NoReturn:
    """Have a person asked about these bytes. Raises AwaitingError, or why that is not possible."""
    if len(raw) > MAX_SIZE:
        raise UnsendableError(f"has {len(raw):,} bytes; what waits for approval has at most {MAX_SIZE:,}")
    executing = work.executing
    now = executing.clock()
    expires = now + (approval.seconds * 1000 or executing.approve_within)
    about = about_of(work.run.mailbox, work.run.rule, raw)
    if not await executing.approvals.ask(
        work.claim, Letter(work.run.id, work.step, about, now, expires, raw)
    ):
        raise NotYetError(f"{MAX_WAITING:,} messages wait for approval already")
    raise AwaitingError(expires)
