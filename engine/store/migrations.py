"""From each layout of keys to the next. Each step bears being cut off and begun anew."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping

from engine.flow.ports import ACTIVE, Profile
from engine.store.base import Base
from engine.store.profiles import write_profile

Migration = Callable[[Base], Awaitable[None]]

ADDRESSES = "addresses"
"""A key of layout 1: by mailbox, which addresses are ours."""


async def keep_profiles(base: Base) -> None:
    """To layout 2: whole profiles instead of addresses alone; and runs that older versions cannot read."""
    known = await base.redis.hgetall(base.key(ADDRESSES))
    for mailbox, text in known.items():
        profile = Profile(0, ACTIVE, frozenset(json.loads(text)))
        await base.redis.hsetnx(base.key("profiles"), mailbox, write_profile(profile))
    await base.redis.delete(base.key(ADDRESSES))


MIGRATIONS: Mapping[int, Migration] = {1: keep_profiles}
"""By the layout that each starts from."""
