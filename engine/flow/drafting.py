"""Leave a draft in its thread, one for each rule: a newer message updates it, a person's answer withdraws it.

A person has the last word: what was edited, or may have been, is left as it is.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from engine.errors import MessageGone, ProviderError
from engine.flow.drafts import UNKNOWN, Home, Left, Turn, digest_of
from engine.flow.executing import NotYetError, Receipt, Work
from engine.flow.inverse import draft_back, no_way_back
from engine.flow.outgoing import message_id, message_id_of
from engine.flow.plan import run_id
from engine.flow.writers import OUR_MESSAGE_ID
from engine.mail.headers import parse_headers
from engine.mail.needs import Need
from engine.rules.effects import WithdrawDraft

EDITED = "a person has edited the draft in the thread, or may have: it is left as it is"
OLDER = "the draft in the thread answers a newer message, or a person has answered since"
ANOTHER = "a draft for another message of the thread lies there, from before writes were lost"
PEN_MS = 1_000
"""To write a draft takes a call or two."""
WITHDRAWN = "a draft that was withdrawn is not written again"


Compose = Callable[[], Awaitable[bytes]]
"""Makes the draft as it would be written now."""


def left_behind(work: Work, draft: str) -> dict[str, str]:
    """Give the receipt of a draft that lies there now."""
    own_id = message_id(work.run, work.step)
    return {"outcome": "done", "id": draft, "message_id": own_id, **draft_back(draft)}


async def update(work: Work, home: Home, compose: Compose) -> Receipt | None:
    """Bring the draft that lies in the thread up to date; None where a new one is to be left.

    Raises NotYetError while another run writes it.
    """
    lies = await _take(work, home, work.run.arrived)
    if isinstance(lies, Turn):
        return {"outcome": "held", "why": OLDER}
    if lies:
        return await _rewrite(work, home, lies, compose)
    return await _from_before(work, home, compose) if work.claim.doubtful else None


async def _rewrite(work: Work, home: Home, lies: Left, compose: Compose) -> Receipt | None:
    if lies.run == work.run.id:
        return left_behind(work, lies.id) | {"how": "found"}
    now = await _read(work, lies)
    if now is None:
        return None
    if parse_headers(now).text("Message-ID") == message_id(work.run, work.step):
        return await recognise(work, home, lies.id, compose)
    if digest_of(now) != lies.digest:
        return await _leave_alone(work, home, lies)
    raw = await compose()
    # Composing takes its time, in which a person may have begun to write.
    now = await _read(work, lies)
    if now is not None and digest_of(now) != lies.digest:
        return await _leave_alone(work, home, lies)
    return await _replace(work, home, lies, raw) if now is not None else None


async def _replace(work: Work, home: Home, lies: Left, raw: bytes) -> Receipt | None:
    try:
        draft = await work.provider.update_draft(work.run.mailbox, lies.id, raw)
    except MessageGone:
        return None
    await remember(work, home, draft, raw)
    return left_behind(work, draft) | {"how": "updated"}


async def _from_before(work: Work, home: Home, compose: Compose) -> Receipt | None:
    """After lost writes, look for the rule's draft in the thread; None where there is none.

    A run's id follows from event and rule, so the messages there tell which drafts are ours.
    """
    run = work.run
    fellows = await work.provider.thread(run.mailbox, run.thread)
    events = [f"{run.mailbox}/{one.key}" for one in fellows if "DRAFT" not in one.labels]
    ours = {message_id_of(run_id(event, run.rule), work.step, run.mailbox) for event in events}
    for one in fellows:
        if "DRAFT" in one.labels and (own_id := await _message_id(work, one.key)) in ours:
            if own_id == message_id(run, work.step):
                return await recognise(work, home, one.key, compose)
            await _record(work, home, one.key, UNKNOWN)
            return {"outcome": "held", "why": ANOTHER, "id": one.key}
    return None


async def _message_id(work: Work, key: str) -> str:
    """Ask for a message's Message-ID, "" where it is gone."""
    try:
        return (await work.provider.fetch(work.run.mailbox, key, frozenset({Need.HEADERS}))).message_id
    except MessageGone:
        return ""


async def remember(work: Work, home: Home, draft: str, raw: bytes) -> None:
    """Remember a draft that was written, with what it says now."""
    await _record(work, home, draft, await _digest(work, draft, raw))


async def recognise(work: Work, home: Home, draft: str, compose: Compose) -> Receipt:
    """Remember a draft of ours that was found, and give its receipt.

    Nobody has edited it where it still says what would be written now; else somebody may have.
    """
    try:
        lies = digest_of(await work.provider.read_draft(work.run.mailbox, draft))
        digest = lies if lies == digest_of(await compose()) else UNKNOWN
    except MessageGone:
        digest = UNKNOWN
    await _record(work, home, draft, digest)
    return left_behind(work, draft) | {"how": "found"}


async def _record(work: Work, home: Home, draft: str, digest: str) -> None:
    await work.executing.drafts.record(home, work.run, Left(draft, digest, work.run.id, work.run.rule))


async def withdraw(work: Work, effect: WithdrawDraft) -> Receipt:
    """Delete a draft, since a person has answered; one that somebody edited stays."""
    run, drafts = work.run, work.executing.drafts
    home = Home(run.mailbox, run.thread, effect.name)
    answer = await work.provider.fetch(run.mailbox, effect.answer, frozenset({Need.HEADERS}))
    answered = round(answer.received.timestamp() * 1000) if answer.received else run.arrived
    lies = await _take(work, home, answered)
    if not isinstance(lies, Left):
        await drafts.put_down(home, run)
        return {"outcome": "unchanged", "why": "the draft is gone, or answers a newer message"}
    now = await _read(work, lies)
    itself = now is None and answer.message_id.startswith(f"<{lies.run}.")
    if OUR_MESSAGE_ID in answer.message_id and not itself:
        await drafts.put_down(home, run)
        return {"outcome": "unchanged", "why": "a rule sent the answer"}
    if now is None and not work.claim.unknown:
        await drafts.forget(home, run, lies, answered)
        return {"outcome": "unchanged", "why": "the draft was sent, or deleted"}
    if now is not None and digest_of(now) != lies.digest:
        return await _leave_alone(work, home, lies)
    await work.provider.delete_draft(run.mailbox, lies.id)
    await drafts.forget(home, run, lies, answered)
    return {"outcome": "done", "id": lies.id, **no_way_back(WITHDRAWN)}


async def _read(work: Work, lies: Left) -> bytes | None:
    """Give a draft as it lies there; None where it is gone."""
    try:
        return await work.provider.read_draft(work.run.mailbox, lies.id)
    except MessageGone:
        return None


async def _leave_alone(work: Work, home: Home, lies: Left) -> Receipt:
    await work.executing.drafts.put_down(home, work.run)
    return {"outcome": "held", "why": EDITED, "id": lies.id}


async def _take(work: Work, home: Home, arrived: int) -> Left | Turn | None:
    lies = await work.executing.drafts.take(home, work.run, arrived)
    if lies is Turn.BUSY:
        raise NotYetError("another run writes the draft of this thread", pause=PEN_MS)
    return lies


async def _digest(work: Work, draft: str, raw: bytes) -> str:
    """Digest it as the service gives it back, which may have rewritten it."""
    try:
        return digest_of(await work.provider.read_draft(work.run.mailbox, draft))
    except ProviderError:
        return digest_of(raw)
