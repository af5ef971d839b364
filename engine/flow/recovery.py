"""When the history no longer reaches back to our cursor: list a window, skip what was judged."""

from __future__ import annotations

from datetime import UTC, datetime

from engine.errand import in_background
from engine.flow.ports import Provider
from engine.flow.stores import Mailboxes
from engine.mail.events import Event, EventKind

SAFETY_MS = 86_400_000
"""The window is this much shorter than retention, so that a judged key is still known."""

CHUNK = 1000


async def recover(
    mailboxes: Mailboxes, provider: Provider, mailbox: str, expired: int, now: int, retention_ms: int
) -> bool:
    """Put every message that arrived within the window and was not judged back into the lane.

    False when somebody else moved the cursor meanwhile. The new cursor is read before the
    listing, so that what arrives meanwhile is found twice rather than never; the judged key lets
    the second one pass.
    """
    profile = await provider.profile(mailbox)
    since = await _window_start(mailboxes, mailbox, now, retention_ms)
    with in_background():
        keys = await _list_all(provider, mailbox, since)
    judged = await mailboxes.judged_among(mailbox, keys)
    events = [
        Event(EventKind.MESSAGE_RECEIVED, mailbox, history=0, key=key)
        for key in reversed(keys)
        if key not in judged
    ]
    for start in range(0, len(events), CHUNK):
        if not await mailboxes.append(mailbox, expired, expired, events[start : start + CHUNK], now):
            return False
    return await mailboxes.append(mailbox, expired, profile.history, (), now)


async def _window_start(mailboxes: Mailboxes, mailbox: str, now: int, retention_ms: int) -> datetime:
    cursor = await mailboxes.cursor(mailbox)
    started = cursor.started if cursor else now
    return datetime.fromtimestamp(max(started, now - retention_ms + SAFETY_MS) / 1000, UTC)


async def _list_all(provider: Provider, mailbox: str, since: datetime) -> list[str]:
    keys: list[str] = []
    page = await provider.list_messages(mailbox, since=since)
    keys += page.keys
    while page.next:
        page = await provider.list_messages(mailbox, page.next, since)
        keys += page.keys
    return list(dict.fromkeys(keys))
