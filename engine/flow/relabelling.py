"""Read and change the labels of many messages under a lane's lease."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from engine.deadline import DEADLINE
from engine.errors import LeaseLost, MessageGone, RateLimited, Rejected
from engine.flow.listing import patiently, wait_for
from engine.flow.ports import Provider
from engine.flow.sift import footstep
from engine.flow.stores import Lease
from engine.flow.touches import Change
from engine.flow.undoings import Undoing
from engine.mail.needs import Need

T = TypeVar("T")
READS_AT_ONCE = 8
LEASE_MARGIN_S = 1.0
SHORT_WAIT_S = 2.0
CALL_MS = 90_000
"""By then a label call that was begun is answered or lost."""


async def read_labels(
    undoing: Undoing, mailbox: str, keys: Sequence[str], lease: Lease | None
) -> dict[str, frozenset[str] | None]:
    """Read the labels of messages, some at a time; None for one that is gone."""
    provider, left = undoing.provider(mailbox), iter(keys)
    found: dict[str, frozenset[str] | None] = {}

    async def lane() -> None:
        for key in left:
            try:
                fetch = partial(provider.fetch, mailbox, key, frozenset({Need.LABELS}))
                found[key] = (await ask(lease, fetch)).labels
            except MessageGone:
                found[key] = None

    await asyncio.gather(*(lane() for _ in range(min(READS_AT_ONCE, len(keys)))))
    return found


async def relabel(
    undoing: Undoing, mailbox: str, changes: Mapping[str, Change], lease: Lease
) -> dict[str, str]:
    """Change labels, equal changes in one call; give the messages for which that was refused, and why."""
    alike: dict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = defaultdict(list)
    for key, change in changes.items():
        if change.add or change.remove:
            alike[change.add, change.remove].append(key)
    refused: dict[str, str] = {}
    for (add, remove), keys in alike.items():
        steps = [footstep(key, "+", label) for key in keys for label in add]
        steps += [footstep(key, "-", label) for key in keys for label in remove]
        now = undoing.clock()
        # Should we end here, the footsteps do not stay for ever.
        await undoing.store.tread(mailbox, lease, steps, now + CALL_MS, now)
        refused |= await _halved(undoing.provider(mailbox), mailbox, keys, add, remove, lease)
        now = undoing.clock()
        await undoing.store.tread(mailbox, lease, steps, now, now)
    return refused


async def _halved(
    provider: Provider,
    mailbox: str,
    keys: Sequence[str],
    add: Sequence[str],
    remove: Sequence[str],
    lease: Lease,
) -> dict[str, str]:
    """Change labels of many; where that is refused, of ever fewer, down to the message at fault."""
    try:
        await ask(lease, partial(provider.change_labels, mailbox, keys, add, remove))
    except (Rejected, MessageGone) as error:
        if len(keys) == 1:
            return {keys[0]: str(error)}
        middle = len(keys) // 2
        first = await _halved(provider, mailbox, keys[:middle], add, remove, lease)
        return first | await _halved(provider, mailbox, keys[middle:], add, remove, lease)
    return {}


async def ask(lease: Lease | None, call: Callable[[], Awaitable[T]]) -> T:
    """Ask the service, with patience where no lease is held, and never beyond one. Raises LeaseLost."""
    if lease is None:
        return await patiently(call, background=False)
    while True:
        if lease.lapses - LEASE_MARGIN_S <= time.time():
            raise LeaseLost("the lease lapsed meanwhile")
        token = DEADLINE.set(lease.lapses - LEASE_MARGIN_S)
        try:
            return await call()
        except RateLimited as error:
            # For longer, the lane goes back to new mail, which may not need such calls.
            if error.until - time.time() > SHORT_WAIT_S:
                raise
            await wait_for(error)
        finally:
            DEADLINE.reset(token)
