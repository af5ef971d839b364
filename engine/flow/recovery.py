"""When the history no longer reaches back to our cursor: list a window, skip what was judged."""

from __future__ import annotations

from datetime import UTC, datetime

from engine.flow.listing import list_keys
from engine.flow.mailboxes import Mailboxes
from engine.flow.plan import Run, run_id
from engine.flow.ports import Provider
from engine.mail.events import Event, EventKind
from engine.rules.evaluation import NOT_ONE_RULE

SAFETY_MS = 86_400_000
"""The window is this much shorter than retention, so that a judged key is still known."""

CHUNK = 1000
LONGEST_TURN_S = 5.0
"""Whoever has to wait for longer is told so, and his mailbox is paused."""


async def recover(
    mailboxes: Mailboxes, provider: Provider, mailbox: str, expired: int, now: int, retention_ms: int
) -> bool:
    """Put every message that arrived within the window and was not judged back into the lane.

    False when somebody else moved the cursor meanwhile. The new cursor is read before the
    listing, so that what arrives meanwhile is found twice rather than never; the judged key lets
    the second one pass.
    """
    profile = await provider.profile(mailbox)
    since, gap = await _window(mailboxes, mailbox, now, retention_ms)
    if gap:
        await mailboxes.leave_to_a_person(gap, now)
    # A turn at the rate budget is waited for: another time, all would be listed anew.
    keys = await list_keys(provider, mailbox, since, longest_s=LONGEST_TURN_S, tries=1)
    judged = await mailboxes.judged_among(mailbox, keys)
    events = [
        Event(EventKind.MESSAGE_RECEIVED, mailbox, history=0, key=key) for key in keys if key not in judged
    ]
    for start in range(0, len(events), CHUNK):
        if not await mailboxes.append(mailbox, expired, expired, events[start : start + CHUNK], now):
            return False
    return await mailboxes.append(mailbox, expired, profile.history, (), now)


async def _window(
    mailboxes: Mailboxes, mailbox: str, now: int, retention_ms: int
) -> tuple[datetime, Run | None]:
    """Where the listing begins, and what names the mail that arrived unread before that, if any could."""
    cursor = await mailboxes.cursor(mailbox)
    started, read = (cursor.started, cursor.read) if cursor else (now, now)
    oldest = now - retention_ms + SAFETY_MS
    since = datetime.fromtimestamp(max(started, oldest) / 1000, UTC)
    return since, _gap(mailbox, read, oldest, now) if 0 < read < oldest else None


def _gap(mailbox: str, read: int, oldest: int, now: int) -> Run:
    """Name mail that is not looked at, since what was judged so long ago is forgotten."""
    event = f"{mailbox}/unread since {read}"
    begin, end = (
        datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="minutes") for at in (read, oldest)
    )
    return Run(
        id=run_id(event, NOT_ONE_RULE),
        rule=NOT_ONE_RULE,
        event=event,
        kind=EventKind.MESSAGE_RECEIVED,
        mailbox=mailbox,
        key="",
        digest="",
        created=now / 1000,
        undecided=f"mail that arrived from {begin} to {end} was not looked at: it is older than `retention`",
    )
