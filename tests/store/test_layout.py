"""The layout of keys that a database names."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from engine.errors import SettingsError
from engine.store.base import Base
from engine.store.layout import LAYOUT, claim_layout


async def test_an_empty_database_becomes_ours_and_stays_so(redis: Redis) -> None:
    await claim_layout(Base(redis))
    await claim_layout(Base(redis))
    assert await redis.get("postroom:schema") == str(LAYOUT)


async def test_a_database_of_a_newer_postroom_is_refused(redis: Redis) -> None:
    await redis.set("postroom:schema", LAYOUT + 1)
    with pytest.raises(SettingsError, match=f"layout {LAYOUT + 1}"):
        await claim_layout(Base(redis))
