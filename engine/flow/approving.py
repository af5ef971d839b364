"""The step of a message that a person has to approve: ask, wait, and go by what was decided."""

from __future__ import annotations

from collections.abc import Mapping

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


async def asked(work: Work) -> Letter | None:
    """Give what a person was asked about in this step, None before anybody was."""
    letter = await work.executing.approvals.get(work.run.id)
    return letter if letter and letter.step == work.step else None


async def look_at(work: Work, effect: Effect) -> Letter | None:
    """Give what a person decided about this step, None before anybody was asked.

    Raises AwaitingError while nobody has decided.
    """
    letter = await asked(work) if wanted(effect) else None
    if letter is None or letter.standing is not Standing.PENDING:
        return letter
    if (now := work.executing.clock()) < letter.expires:
        raise await wait_on(work, letter)
    await work.executing.approvals.decide(work.run.id, Decision(Standing.EXPIRED), now)
    return await asked(work)


def refusal(letter: Letter) -> Receipt | None:
    """Give the receipt of a message that is not sent; None for one that was approved."""
    if why := WHY.get(letter.standing.value):
        return {"outcome": "held", "why": why, **letter.told()}
    return None


async def ask(work: Work, approval: Approval, raw: bytes, draft: str = "") -> AwaitingError:
    """Have a person asked about these bytes, or about the draft that holds them; give what is to be raised.

    Raises why that is not possible.
    """
    if len(raw) > MAX_SIZE and not draft:
        raise UnsendableError(f"has {len(raw):,} bytes; what waits for approval has at most {MAX_SIZE:,}")
    run, now = work.run, work.executing.clock()
    expires = now + (approval.seconds * 1000 or work.executing.approve_within)
    about = about_of(run.mailbox, run.rule, raw)
    kept = b"" if draft else raw
    return await wait_on(work, Letter(run.id, work.step, about, now, expires, kept, draft=draft))


async def wait_on(work: Work, letter: Letter) -> AwaitingError:
    """Give the claim back until somebody decides; give what is to be raised."""
    if not await work.executing.approvals.ask(work.claim, letter):
        raise NotYetError(f"{MAX_WAITING:,} messages wait for approval already")
    return AwaitingError(letter.expires)
