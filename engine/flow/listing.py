"""Reading much of a mailbox for a person who waits: the keys of what it holds, and calls that can wait."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from datetime import datetime
from functools import partial
from typing import TypeVar

from engine.errand import in_background
from engine.errors import RateLimited, Unavailable
from engine.flow.ports import Provider

T = TypeVar("T")
LONGEST_WAIT_S = 600.0
"""A service that asks for more, as at the end of a day's allowance, is for another time."""
FIRST_PAUSE_S = 0.5
TRIES = 6


async def patiently(
    ask: Callable[[], Awaitable[T]],
    *,
    background: bool = True,
    longest_s: float = LONGEST_WAIT_S,
    tries: int = TRIES,
) -> T:
    """Ask again while the service asks us to wait or does not answer; behind whoever is more urgent."""
    failures = 0
    with in_background() if background else nullcontext():
        while True:
            try:
                return await ask()
            except RateLimited as error:
                await wait_for(error, longest_s)
            except Unavailable:
                failures += 1
                if failures == tries:
                    raise
                await asyncio.sleep(FIRST_PAUSE_S * 2**failures)


async def wait_for(error: RateLimited, longest_s: float = LONGEST_WAIT_S) -> None:
    """Wait as long as a service asks us to. Raises the error where that is too long."""
    wait = error.until - time.time()
    if wait > longest_s:
        raise error
    await asyncio.sleep(max(0.05, wait))


async def list_keys(
    provider: Provider,
    mailbox: str,
    since: datetime,
    *,
    longest_s: float = LONGEST_WAIT_S,
    tries: int = TRIES,
) -> list[str]:
    """Give the keys of what arrived since then, and perhaps of more, the oldest first."""
    keys: list[str] = []
    token, more = "", True
    while more:
        ask = partial(provider.list_messages, mailbox, token, since)
        page = await patiently(ask, longest_s=longest_s, tries=tries)
        keys += page.keys
        token, more = page.next, bool(page.next)
    return list(dict.fromkeys(reversed(keys)))
