"""Leases: who may drain a lane or poll a mailbox, for as long as it keeps saying so."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from redis.exceptions import RedisError

from engine.ending import end
from engine.store.base import Base

LEASE_S = 6.0
RENEW_S = 2.0


@dataclass(slots=True)
class HeldLease:
    """A lease of ours. `lapses` moves on with each renewal that Redis confirmed."""

    key: str
    acting: bool = False
    token: str = field(default_factory=lambda: secrets.token_hex(8))
    lapses: float = 0.0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """One batch of commands at a time: Redis knows the last one alone again if it is sent twice."""

    def words(self, seconds: float) -> list[str | int]:
        return [self.token, int(seconds * 1000), int(self.acting)]


@contextlib.asynccontextmanager
async def take_lease(base: Base, key: str, *, acting: bool = False) -> AsyncIterator[HeldLease | None]:
    """Hold the lease at `key`, renewed in the background; None when somebody else has it.

    One that is for `acting` is neither given nor renewed while acting is halted.
    """
    lease = HeldLease(key, acting)
    began = time.time()
    if not await base.scripts("take", [key], lease.words(LEASE_S)):
        yield None
        return
    lease.lapses = began + LEASE_S
    renewing = asyncio.create_task(_renew(base, lease))
    try:
        yield lease
    finally:
        lease.lapses = 0.0  # Whoever still holds on to it begins no call any more.
        await end(renewing)
        with contextlib.suppress(RedisError, OSError):
            await base.scripts("lease", [key], lease.words(0))


async def _renew(base: Base, lease: HeldLease) -> None:
    while True:
        await asyncio.sleep(RENEW_S)
        began = time.time()
        with contextlib.suppress(RedisError, OSError):
            if not await base.scripts("lease", [lease.key], lease.words(LEASE_S)):
                lease.lapses = 0.0
                return
            lease.lapses = began + LEASE_S
