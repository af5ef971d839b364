"""The keys of what a mailbox holds."""

from __future__ import annotations

from datetime import datetime

from engine.errand import in_background
from engine.flow.ports import Provider


async def list_keys(provider: Provider, mailbox: str, since: datetime) -> list[str]:
    """Give the keys of what arrived since then, and perhaps of more, the oldest first."""
    keys: list[str] = []
    token, more = "", True
    with in_background():
        while more:
            page = await provider.list_messages(mailbox, token, since)
            keys += page.keys
            token, more = page.next, bool(page.next)
    return list(dict.fromkeys(reversed(keys)))
