"""Approval by a draft in the mailbox: whoever sends it approves it, whoever deletes it rejects it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from engine.errors import MessageGone
from engine.flow.approvals import Letter, Standing
from engine.flow.approving import ask, asked, refusal, wait_on
from engine.flow.drafting import OLDER, recognise, remember, update
from engine.flow.drafts import Home, home_of
from engine.flow.executing import CLOCKS_MS, NotYetError, Receipt, Work
from engine.flow.inverse import SENT, no_way_back
from engine.flow.outgoing import message_id
from engine.flow.ports import Found
from engine.rules.effects import Approval

OUT = frozenset({"SENT", "SCHEDULED"})

Find = Callable[[], Awaitable[Found | None]]


async def ask_by_draft(
    work: Work, approval: Approval, compose: Callable[[], Awaitable[bytes]], find: Find | None
) -> Receipt | None:
    """Leave the message as a draft, then say what became of it; None after a look in vain.

    `find` looks for what an earlier attempt left, where there may be such a thing. Raises AwaitingError while
    the draft lies there.
    """
    if letter := await asked(work):
        return await _became(work, letter)
    raw = await compose()
    home = home_of(work.run, work.step)
    lies = await update(work, home, partial(_same, raw)) if home else None
    if lies and lies["outcome"] != "done":
        return {**lies, "approval": Standing.REJECTED.value}
    draft = lies["id"] if lies else ""
    if not lies and find:
        found = await find()
        if found is None or not OUT.isdisjoint(found.labels):
            return _sent(work, found) if found else None
        draft = found.key
    if not lies:
        draft = await _leave(work, home, draft, raw)
    raise await ask(work, approval, raw, draft)


async def _same(raw: bytes) -> bytes:
    return raw


async def _leave(work: Work, home: Home | None, found: str, raw: bytes) -> str:
    """Leave a draft, unless an earlier attempt has."""
    draft = found or await work.provider.save_draft(work.run.mailbox, raw)
    if home and found:
        await recognise(work, home, draft, partial(_same, raw))
    elif home:
        await remember(work, home, draft, raw)
    return draft


async def _became(work: Work, letter: Letter) -> Receipt:
    """Say what became of the draft. Raises AwaitingError while it lies there."""
    try:
        await work.provider.read_draft(work.run.mailbox, letter.draft)
    except MessageGone:
        return await _gone(work, letter)
    if await _is_taken_over(work):
        return _refused(work, letter, Standing.REJECTED, OLDER)
    if work.executing.clock() >= letter.expires:
        return _refused(work, letter, Standing.EXPIRED)
    raise await wait_on(work, letter)


async def _is_taken_over(work: Work) -> bool:
    """Say whether the draft is by now that of a run for a newer message."""
    home = home_of(work.run, work.step)
    if home is None:
        return False
    left = (await work.executing.drafts.in_threads(home.mailbox, [home.thread])).get(home)
    return left is not None and left.run != work.run.id


async def _gone(work: Work, letter: Letter) -> Receipt:
    """It was sent or deleted; that it was not sent is believed at the second look."""
    run, executing = work.run, work.executing
    since = datetime.fromtimestamp((letter.asked - CLOCKS_MS) / 1000, UTC)
    found = await work.provider.find(run.mailbox, message_id(run, work.step), since)
    if found and not OUT.isdisjoint(found.labels):
        return _sent(work, found)
    now = executing.clock()
    if now - int(await work.note(str(now))) < executing.look_gap:
        raise NotYetError("the draft is gone: whether it was sent is looked up once more")
    return _refused(work, letter, Standing.REJECTED, "the draft was deleted")


def _refused(work: Work, letter: Letter, standing: Standing, reason: str = "") -> Receipt:
    decided = replace(letter, standing=standing, at=work.executing.clock(), reason=reason)
    return refusal(decided) or {}


def _sent(work: Work, found: Found) -> Receipt:
    told = {"approval": Standing.APPROVED.value, "how": "sent from the mailbox"}
    own_id = message_id(work.run, work.step)
    return {"outcome": "done", "id": found.key, "message_id": own_id, **told, **no_way_back(SENT)}
