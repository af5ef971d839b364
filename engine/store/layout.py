"""Which layout of keys a database has: a newer one than ours is refused."""

from __future__ import annotations

from engine.errors import SettingsError
from engine.store.base import Base

LAYOUT = 1


async def claim_layout(base: Base) -> None:
    """Mark an empty database as ours. Raises SettingsError for one that a newer Postroom has written."""
    key = base.key("schema")
    await base.redis.setnx(key, LAYOUT)
    found = int(await base.redis.get(key))
    if found > LAYOUT:
        raise SettingsError(
            f"the data in Redis have layout {found}, and this Postroom knows layout {LAYOUT}: use a newer one"
        )
