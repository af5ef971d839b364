"""Carry out one run, step by step: claim, do, record. What may have worked is looked up first."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from datetime import UTC, datetime
from functools import partial

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
from engine.flow.approving import ask, look_at, refusal, refused_before, wanted
from engine.flow.asking_by_draft import Find, ask_by_draft
from engine.flow.bounces import read_bounce
from engine.flow.calling import call
from engine.flow.drafting import remember, update, withdraw
from engine.flow.drafts import digest_of, home_of
from engine.flow.emitting import emit
from engine.flow.executing import AwaitingError, Executing, NotYetError, Receipt, Work
from engine.flow.gathering import NOTHING_LEFT, close, gather
from engine.flow.inverse import SENT, draft_back, no_way_back, scheduled_back
from engine.flow.outgoing import compose_step, message_id, written_to
from engine.flow.passing import let_pass, told
from engine.flow.patience import patience
from engine.flow.plan import due_at
from engine.flow.planned import keep_until
from engine.flow.ports import Provider
from engine.flow.relabel import change_labels, delete
from engine.flow.saving import save
from engine.flow.stores import Claim, Settled
from engine.flow.telling import step_settled
from engine.mail.compose import UnsendableError
from engine.mail.events import SUMMARY_DUE
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
LOOKS = 2
"""A request may be on its way for longer than we think: a second look settles it."""
LONGEST_LAG_MS = 3_600_000
"""What is older than that, a search finds."""
CLOCKS_MS = 60_000
"""How far the service's clock may be behind ours."""
"""How long a step may fail, from its first failure on: while all stands still, nothing fails."""
PAUSE_MS = 300_000
LATER_MS = 60_000
LONGEST_WAIT_MS = 900_000


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
        if again:
            return again


async def _attempt(executing: Executing, provider: Provider, claim: Claim, step: int) -> int | None:
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
    await _settle(executing, claim, Settled(claim.run.id, step, receipt))
    return None


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
            performing = _message(work, effect)
    return performing


async def _message(work: Work, effect: SendMessage | SaveDraft) -> Receipt | None:
    """Write a message; None when an earlier attempt was looked up in vain."""
    approval = wanted(effect)
    if approval and approval.draft:
        return await ask_by_draft(work, approval, partial(_compose, work), _earlier(work))
    if work.run.kind is not SUMMARY_DUE:
        return await _write(work, effect)
    closed = await close(work)
    return await _write(closed, effect) if closed else NOTHING_LEFT


def _earlier(work: Work) -> Find | None:
    """Give a look for what an earlier attempt may have done; None where there was none, or two looks were."""
    claim = work.claim
    if not claim.unknown or claim.looks >= LOOKS:
        return None
    since = _look_back(claim, work.executing.clock())
    return partial(work.provider.find, work.run.mailbox, message_id(work.run, work.step), since)


async def _write(work: Work, effect: SendMessage | SaveDraft) -> Receipt | None:
    """Send or leave a draft; None when an earlier attempt was looked up in vain."""
    provider, run, step = work.provider, work.run, work.step
    own_id = message_id(run, step)
    letter = await look_at(work, effect)
    if letter and (receipt := refusal(letter)):
        return receipt
    decided = letter.told() if letter else {}
    home = home_of(run, step)
    if home and (receipt := await update(work, home, partial(_compose, work))):
        return receipt
    if find := _earlier(work):
        found = await find()
        if found is None:
            return None
        if home:
            await remember(work, home, found.key, None)
        return _written(effect, found.key, own_id) | decided | {"how": "found"}
    if letter is None and (approval := wanted(effect)):
        raise await ask(work, approval, await _compose(work))
    until = await keep_until(work, effect)
    raw = letter.raw if letter else await _compose(work)
    if isinstance(effect, SaveDraft):
        key = await provider.save_draft(run.mailbox, raw)
        if home:
            await remember(work, home, key, raw)
        known = {} if home else draft_back(key, digest_of(raw))
        return {**_written(effect, key, own_id), **known}
    return await _send(work, effect, raw, until) | decided


async def _send(work: Work, effect: SendMessage, raw: bytes, until: datetime | None) -> dict[str, str]:
    """Send what the gate lets pass; what it does not is held, and the run goes on."""
    passed = await let_pass(work, effect, raw, until)
    if passed.held:
        return {"outcome": "held", "why": passed.held}
    key = await work.provider.send(work.run.mailbox, passed.raw, until)
    due = {"at": until.isoformat()} if until else {}
    left_out = {"left_out": told(passed.left_out)} if passed.left_out else {}
    own_id = message_id(work.run, work.step)
    return _written(effect, key, own_id) | written_to(passed.raw) | due | left_out


async def _compose(work: Work) -> bytes:
    executing, claim, run = work.executing, work.claim, work.run
    book = await executing.books.pinned(run.digest)
    own = {mailbox: profile.addresses for mailbox, profile in work.profiles.items()}
    zone = book.rules.homes.of(run.mailbox).zone
    now = executing.clock()
    return await compose_step(work.provider, book.templates, claim, work.step, own, now, zone)


def _written(effect: SendMessage | SaveDraft, key: str, own_id: str) -> dict[str, str]:
    return {"outcome": "done", "id": key, "message_id": own_id, **_back(effect, key)}


def _back(effect: SendMessage | SaveDraft, key: str) -> Receipt:
    if isinstance(effect, SaveDraft):
        return draft_back(key)
    return scheduled_back(key) if effect.at else no_way_back(SENT)


def _look_back(claim: Claim, now: int) -> datetime:
    """Say where a look begins: before the first attempt; an hour before a run was opened again, or now."""
    due = due_at(claim.run, claim.step) if claim.step is not None else 0
    began = max(due, claim.since - LONGEST_LAG_MS)
    if claim.doubtful:
        began = min(began, now - LONGEST_LAG_MS)
    return datetime.fromtimestamp((began - CLOCKS_MS) / 1000, UTC)


async def _failed(executing: Executing, claim: Claim, step: int, error: PostroomError) -> int | None:
    """Decide what to do about an error: the one place where that is decided for a step."""
    now = executing.clock()
    run = claim.run
    if isinstance(error, MessageGone):
        receipt = {"outcome": "skipped", "why": "the message is gone"}
        await _settle(executing, claim, Settled(run.id, step, receipt))
        return None
    since = claim.failing or now
    if isinstance(error, (Rejected, TemplateError, UnsendableError)) or now - since > patience(error):
        receipt = {"outcome": "failed", "why": str(error)}
        await _settle(executing, claim, Settled(run.id, step, receipt, failed=True))
        return None
    if isinstance(error, OutcomeUnknown):
        return await _unknown(executing, claim, str(error), since)
    again = _again(executing, claim, error, now)
    await _put_off(executing, claim, again, str(error), since)
    return again


async def _settle(executing: Executing, claim: Claim, settled: Settled) -> None:
    await executing.journal.settle(settled, executing.clock(), claim)
    step_settled(claim.run, settled)


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
    again = executing.clock() + LATER_MS
    await _put_off(executing, claim, again, str(error), claim.failing)
    return again


def _again(executing: Executing, claim: Claim, error: PostroomError, now: int) -> int:
    if isinstance(error, RateLimited):
        return max(int(error.until * 1000), now + 50)
    if isinstance(error, Unfinished) or (claim.unknown and now + CLOCK_MS >= claim.deadline):
        # A look that broke off goes on where it ended: waiting ever longer would let it forget.
        return now + executing.look_gap
    if isinstance(error, (Unauthorized, Inactive)):
        return now + PAUSE_MS
    return now + min(LONGEST_WAIT_MS, 1000 << min(claim.attempt, 12))
