"""When a person answers in a thread, the drafts that our rules left there are needless."""

from __future__ import annotations

from collections.abc import Sequence

from engine.flow.drafts import Drafts
from engine.flow.plan import Run, run_id
from engine.flow.stores import Queued
from engine.mail.events import EventKind
from engine.rules.effects import WithdrawDraft

TOUCHING = frozenset({EventKind.MESSAGE_SENT, EventKind.MESSAGE_UPDATED, EventKind.MESSAGE_DELETED})


def touched(taken: Sequence[Queued]) -> list[str]:
    """List the keys of messages that somebody may have sent or deleted, drafts perhaps."""
    events = [one.event for one in taken]
    keys = [one.key for one in events if one.kind in TOUCHING or "TRASH" in one.changed]
    return sorted({key for key in keys if key})


async def withdrawals(
    drafts: Drafts, mailbox: str, taken: Sequence[Queued], digest: str, now: int
) -> tuple[Run, ...]:
    """Plan a run for each draft of ours in the threads in which something was sent."""
    sent = {
        one.event.thread: one
        for one in taken
        if one.event.kind is EventKind.MESSAGE_SENT and one.event.thread and one.event.key
    }
    if not sent:
        return ()
    found = await drafts.in_threads(mailbox, list(sent))
    return tuple(
        Run(
            id=run_id(sent[home.thread].event.id, f"{home.name} withdrawn"),
            rule=left.rule,
            event=sent[home.thread].event.id,
            kind=EventKind.MESSAGE_SENT,
            mailbox=mailbox,
            key="",
            digest=digest,
            created=now / 1000,
            arrived=now,
            steps=(WithdrawDraft(answer=sent[home.thread].event.key, name=home.name),),
            thread=home.thread,
            trace=sent[home.thread].trace,
        )
        for home, left in found.items()
    )
