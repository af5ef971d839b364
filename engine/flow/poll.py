"""Read a mailbox's history from the stored cursor into the queue."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from zlib import crc32

from engine import tracing
from engine.errors import (
    CursorExpired,
    Inactive,
    ProviderError,
    RateLimited,
    Rejected,
    Unauthorized,
    Unavailable,
)
from engine.flow.clock import Clock, now_ms
from engine.flow.mailboxes import Cursor, Mailboxes, Outset
from engine.flow.ports import ACTIVE, Profile, Provider
from engine.flow.recovery import recover
from engine.mail.address import parse_address
from engine.mail.events import Event, EventKind

log = logging.getLogger("postroom.poll")

PAUSE_MS = 300_000
"""How long a mailbox is left alone that is inactive, or whose credentials or calls were refused."""
RETRY_MS = 5_000
SHORT_MS = 2_000
"""Up to this, waiting for a call's turn is nothing that anybody need hear of."""
RECOVERING = "(recovering)"
"""The lease of the one mailbox whose expired history is being recovered."""
LEARN_MS = 3_600_000
"""How often a mailbox is asked for its profile."""


@dataclass(frozen=True)
class Polling:
    """What polling needs."""

    mailboxes: Mailboxes
    retention_ms: int
    clock: Clock = now_ms


async def poll(polling: Polling, provider: Provider, mailbox: str) -> int | None:
    """Read all that is new. Returns when to try again (epoch ms) if the provider could not be read."""
    async with polling.mailboxes.lease(mailbox) as lease:
        if lease is None:
            return None
        try:
            await _read_all(polling, provider, mailbox)
        except ProviderError as error:
            return await _put_off(polling, mailbox, error)
        await polling.mailboxes.resume(mailbox)
    return None


async def hear(polling: Polling, provider: Provider, mailbox: str) -> int | None:
    """Poll, unless every ring of the doorbell was heard meanwhile."""
    outset = await polling.mailboxes.outset(mailbox)
    return await poll(polling, provider, mailbox) if outset.unheard else None


async def _read_all(polling: Polling, provider: Provider, mailbox: str) -> None:
    """Read until a complete read began after the last ring of the doorbell."""
    heard = False
    while not heard:
        began = polling.clock()
        outset = await polling.mailboxes.outset(mailbox)
        with tracing.span("poll", outset.trace, mailbox=mailbox):
            if not await _read_once(polling, provider, mailbox, outset, began):
                continue
        heard = await polling.mailboxes.polled(mailbox, outset.wanted, began)


async def _read_once(polling: Polling, provider: Provider, mailbox: str, outset: Outset, began: int) -> bool:
    """Read all that is new now; False when the end of the history was not seen."""
    if outset.cursor is None:
        # A new mailbox starts now: older mail stays untouched.
        profile = await learn(polling, provider, mailbox)
        await polling.mailboxes.start(mailbox, profile.history, polling.clock())
        return True
    if _is_worth_learning(mailbox, outset.profile, outset.cursor.read, began):
        await _learn_if_possible(polling, provider, mailbox, outset)
    return await _read_pages(polling, provider, mailbox, outset.cursor)


async def _learn_if_possible(polling: Polling, provider: Provider, mailbox: str, outset: Outset) -> None:
    """Read the profile; while it cannot be had, an active mailbox is served by the one that is known."""
    try:
        await learn(polling, provider, mailbox)
    except Unavailable as error:
        if not outset.profile or not outset.profile.active:
            raise
        log.warning("%s: its profile is not read again: %s", mailbox, error)


def _is_vacation(event: Event) -> bool:
    """Whether the vacation reply was changed; labels that we make are settings as well."""
    return event.kind is EventKind.SETTINGS_CHANGED and "vacation" in event.changed


def _is_worth_learning(mailbox: str, profile: Profile | None, read: int, now: int) -> bool:
    return not profile or not profile.active or is_time_to_learn(mailbox, read, now)


def is_time_to_learn(mailbox: str, read: int, now: int) -> bool:
    """Tell whether a mailbox's moment of the hour came after its last read; not all have the same one."""
    own = crc32(mailbox.encode()) % LEARN_MS
    return (now - own) // LEARN_MS > (read - own) // LEARN_MS


async def learn(polling: Polling, provider: Provider, mailbox: str) -> Profile:
    """Read the profile and remember it. Raises Inactive for a mailbox that is not in use."""
    profile = await provider.profile(mailbox)
    addresses = frozenset(parse_address(address).normal for address in profile.addresses)
    await polling.mailboxes.know(mailbox, replace(profile, addresses=addresses))
    if not profile.active:
        raise Inactive(f"the service says that the mailbox is {profile.status}, not {ACTIVE}")
    return profile


async def _read_pages(polling: Polling, provider: Provider, mailbox: str, cursor: Cursor) -> bool:
    """Read to the end; False when somebody else moved the cursor, so that the end was not seen."""
    at, more = cursor.history, True
    while more:
        try:
            page = await provider.history(mailbox, at)
        except CursorExpired:
            return await _recover(polling, provider, mailbox, at)
        if any(_is_vacation(event) for event in page.events):
            # A vacation reply may have been switched on: known before anything of this page is decided.
            await learn(polling, provider, mailbox)
        if page.unknown:
            await polling.mailboxes.keep_unknown(mailbox, page.unknown)
        if not await polling.mailboxes.append(mailbox, at, page.cursor, page.events, polling.clock()):
            return False
        if page.events:
            log.info("%s: %d events read", mailbox, len(page.events))
        at, more = page.cursor, page.more
    return True


async def _recover(polling: Polling, provider: Provider, mailbox: str, expired: int) -> bool:
    """Recover one mailbox after another: all at once, in turns, none would be listed before its job's end."""
    now = polling.clock()
    async with polling.mailboxes.lease(RECOVERING) as turn:
        if turn is None:
            raise RateLimited(
                "its history expired, and another's is recovered first", until=(now + RETRY_MS) / 1000
            )
        return await recover(polling.mailboxes, provider, mailbox, expired, now, polling.retention_ms)


async def _put_off(polling: Polling, mailbox: str, error: ProviderError) -> int:
    """Pause the mailbox until it is worth trying again, and say why."""
    now = polling.clock()
    again = now + RETRY_MS
    if isinstance(error, (Unauthorized, Inactive, Rejected)):
        again = now + PAUSE_MS
    elif isinstance(error, RateLimited):
        again = max(int(error.until * 1000), now + 100)
    if again - now > SHORT_MS:
        log.warning("%s is paused for %.0f s: %s", mailbox, (again - now) / 1000, error)
        await polling.mailboxes.pause(mailbox, str(error), again, now)
    return again
