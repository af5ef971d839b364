"""Carry out one run, step by step: claim, do, record. What may have worked is looked up first."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable

from engine import tracing
from engine.deadline import DEADLINE
from engine.errors import (
    Inactive,
    MessageGone,
    OutcomeUnknown,
    PostroomError,
    ProviderError,
    RateLimited,
    Rejected,
    SettingsError,
    TemplateError,
    Unauthorized,
    Unfinished,
)
from engine.flow.approving import refused_before
from engine.flow.bounces import read_bounce
from engine.flow.calling import call
from engine.flow.drafting import withdraw
from engine.flow.emitting import emit
from engine.flow.executing import LATER_MS, AwaitingError, Executing, NotYetError, Receipt, Work
from engine.flow.gathering import gather
from engine.flow.patience import again_at, patience
from engine.flow.plan import due_at
from engine.flow.ports import Provider
from engine.flow.relabel import change_labels, delete
from engine.flow.saving import save
from engine.flow.stores import Claim, Settled
from engine.flow.telling import step_settled
from engine.flow.writing import write
from engine.mail.compose import UnsendableError
from engine.rules.effects import (
    AddToSummary,
    CallHttp,
    ChangeLabels,
    DeleteMessage,
    Effect,
    EmitEvent,
    SaveDraft,
    SendMessage,
    StoreFile,
    Suppress,
    WithdrawDraft,
)

__all__ = ["Executing", "execute"]

CLOCK_MS = 50
"""Two readings of the clock for one moment differ by less."""
AT_ONCE = 0
PAUSE_MS = 300_000
FIRST_WAIT_MS, LONGEST_WAIT_MS = 2_000, 900_000


async def execute(executing: Executing, run: str) -> int | None:
    """Carry a run on. Returns when to go on (epoch ms), or None when there is nothing left to do."""
    while True:
        now = executing.clock()
        claim = await executing.journal.claim(run, now, now + executing.timeout, executing.margin)
        if claim is None or isinstance(claim, int):
            return claim
        if claim.step is None:
            why = "label changes are under way"
            await executing.journal.release(claim, again=now + LATER_MS, unknown=False, looks=0, why=why)
            return None
        if (due := due_at(claim.run, claim.step)) > now:
            await executing.journal.delay(claim, due)
            return due
        try:
            provider = executing.provider(claim.run.mailbox)
        except SettingsError as error:
            # Another worker may know the mailbox, as while they are restarted one after another.
            await _put_off(executing, claim, now + PAUSE_MS, str(error), claim.failing)
            raise
        with tracing.span("execute", claim.run.trace, run=run, rule=claim.run.rule, step=claim.step):
            again = await _attempt(executing, provider, claim, claim.step)
        if again != AT_ONCE:
            return again


async def _attempt(executing: Executing, provider: Provider, claim: Claim, step: int) -> int | None:
    """Try a step. Returns when the run goes on: AT_ONCE with its next step, None when there is none."""
    token = DEADLINE.set(time.time() + (claim.deadline - executing.clock()) / 1000)
    try:
        async with asyncio.timeout(executing.timeout / 1000):
            receipt = refused_before(claim.receipts) or await _perform(executing, provider, claim, step)
    except TimeoutError:
        return await _failed(executing, claim, step, OutcomeUnknown("the deadline passed during the call"))
    except AwaitingError as error:
        return error.until
    except NotYetError as error:
        return await _not_yet(executing, claim, error)
    except (ProviderError, TemplateError, UnsendableError) as error:
        return await _failed(executing, claim, step, error)
    finally:
        DEADLINE.reset(token)
    if receipt is None:
        again = executing.clock() + executing.look_gap
        await executing.journal.release(
            claim, again=again, unknown=True, looks=claim.looks + 1, why="looked up", failing=claim.failing
        )
        return again
    return await _settle(executing, claim, Settled(claim.run.id, step, receipt))


async def _perform(executing: Executing, provider: Provider, claim: Claim, step: int) -> Receipt | None:
    """Do one step and return its receipt; None when an earlier attempt was looked up in vain."""
    run, effect = claim.run, claim.run.steps[step]
    profiles = await executing.mailboxes.profiles()
    if run.mailbox in profiles and not profiles[run.mailbox].active:
        raise Inactive(f"the mailbox is {profiles[run.mailbox].status}")
    return await _performing(Work(executing, provider, claim, step, profiles), effect)


def _performing(work: Work, effect: Effect) -> Awaitable[Receipt | None]:
    performing: Awaitable[Receipt | None]
    match effect:
        case ChangeLabels():
            performing = change_labels(work, effect)
        case DeleteMessage():
            performing = delete(work, effect)
        case StoreFile():
            performing = save(work, effect)
        case CallHttp():
            performing = call(work, effect)
        case EmitEvent():
            performing = emit(work, effect)
        case Suppress():
            performing = read_bounce(work)
        case AddToSummary():
            performing = gather(work, effect)
        case WithdrawDraft():
            performing = withdraw(work, effect)
        case SendMessage() | SaveDraft():
            performing = write(work, effect)
    return performing


async def _failed(executing: Executing, claim: Claim, step: int, error: PostroomError) -> int | None:
    """Decide what to do about an error: the one place where that is decided for a step."""
    now = executing.clock()
    run = claim.run
    if isinstance(error, MessageGone):
        receipt = {"outcome": "skipped", "why": "the message is gone"}
        return await _settle(executing, claim, Settled(run.id, step, receipt))
    since = claim.failing or now
    if isinstance(error, (Rejected, TemplateError, UnsendableError)) or now - since > patience(error):
        receipt = {"outcome": "failed", "why": str(error)}
        return await _settle(executing, claim, Settled(run.id, step, receipt, failed=True))
    if isinstance(error, OutcomeUnknown):
        return await _unknown(executing, claim, str(error), since)
    again = _again(executing, claim, error, since, now)
    await _put_off(executing, claim, again, str(error), since)
    return again


async def _settle(executing: Executing, claim: Claim, settled: Settled) -> int | None:
    """Record what became of the step. Returns as `_attempt` does."""
    more = await executing.journal.settle(settled, executing.clock(), claim)
    step_settled(claim.run, settled)
    return AT_ONCE if more else None


async def _unknown(executing: Executing, claim: Claim, why: str, failing: int) -> int:
    """The call may have worked: look it up once no request of ours can still be on its way."""
    again = claim.deadline + executing.margin
    await executing.journal.release(claim, again=again, unknown=True, looks=0, why=why, failing=failing)
    return again


async def _put_off(executing: Executing, claim: Claim, again: int, why: str, failing: int) -> None:
    """Try again at `again`, with what is known of earlier attempts as it was."""
    unknown, looks = claim.unknown, claim.looks
    await executing.journal.release(
        claim, again=again, unknown=unknown, looks=looks, why=why, failing=failing
    )


async def _not_yet(executing: Executing, claim: Claim, error: NotYetError) -> int:
    if error.until:
        await executing.journal.delay(claim, error.until)
        return error.until
    again = executing.clock() + error.pause
    await _put_off(executing, claim, again, str(error), claim.failing)
    return again


def _again(executing: Executing, claim: Claim, error: PostroomError, since: int, now: int) -> int:
    if isinstance(error, RateLimited):
        return max(int(error.until * 1000), now + 50)
    if isinstance(error, Unfinished) or (claim.unknown and now + CLOCK_MS >= claim.deadline):
        # A look that broke off goes on where it ended: waiting ever longer would let it forget.
        return now + executing.look_gap
    if isinstance(error, (Unauthorized, Inactive)):
        return now + PAUSE_MS
    return again_at(since, now, FIRST_WAIT_MS, LONGEST_WAIT_MS)
