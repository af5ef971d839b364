"""The step that writes mail: look up what may have been written, ask whom it takes, write it once."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

from engine.flow.approving import ask, look_at, refusal, wanted
from engine.flow.asking_by_draft import Find, ask_by_draft
from engine.flow.drafting import recognise, remember, update
from engine.flow.drafts import Home, digest_of, home_of
from engine.flow.executing import CLOCKS_MS, Receipt, Work
from engine.flow.gathering import NOTHING_LEFT, close
from engine.flow.inverse import SENT, draft_back, no_way_back, scheduled_back
from engine.flow.outgoing import compose_step, message_id, written_to
from engine.flow.passing import let_pass, told
from engine.flow.plan import due_at
from engine.flow.planned import keep_until
from engine.flow.stores import Claim
from engine.mail.events import SUMMARY_DUE
from engine.rules.effects import SaveDraft, SendMessage

LOOKS = 2
"""A request may be on its way for longer than we think: a second look settles it."""
LONGEST_LAG_MS = 3_600_000
"""What is older than that, a search finds."""


async def write(work: Work, effect: SendMessage | SaveDraft) -> Receipt | None:
    """Send a message or leave a draft; None when an earlier attempt was looked up in vain."""
    approval = wanted(effect)
    if approval and approval.draft:
        return await ask_by_draft(work, approval, partial(_compose, work), _earlier(work))
    if work.run.kind is not SUMMARY_DUE:
        return await _write(work, effect)
    closed = await close(work)
    return await _write(closed, effect) if closed else NOTHING_LEFT


def _earlier(work: Work, approved: int = 0) -> Find | None:
    """Give a look for what an earlier attempt may have done; None where there was none, or two looks were.

    Nothing was sent before it was `approved` (epoch ms).
    """
    claim = work.claim
    if not claim.unknown or claim.looks >= LOOKS:
        return None
    since = _look_back(claim, work.executing.clock(), approved)
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
    if find := _earlier(work, letter.at if letter else 0):
        found = await find()
        if found is None:
            return None
        return {**await _found(work, effect, home, found.key), **decided}
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


async def _found(work: Work, effect: SendMessage | SaveDraft, home: Home | None, key: str) -> Receipt:
    if home:
        return await recognise(work, home, key, partial(_compose, work))
    return _written(effect, key, message_id(work.run, work.step)) | {"how": "found"}


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


def _look_back(claim: Claim, now: int, approved: int) -> datetime:
    """Say where a look begins: before the first attempt; an hour before a run was opened again, or now."""
    due = due_at(claim.run, claim.step) if claim.step is not None else 0
    began = max(due, approved, claim.since - LONGEST_LAG_MS)
    if claim.doubtful:
        began = min(began, now - LONGEST_LAG_MS)
    return datetime.fromtimestamp((began - CLOCKS_MS) / 1000, UTC)
