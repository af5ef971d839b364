"""The layout of keys that a database names, and bringing an older one to ours."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from engine.errors import SettingsError
from engine.store import layout
from engine.store.base import Base
from engine.store.connection import connect
from engine.store.layout import LAYOUT, claim_layout, migrate
from engine.store.leases import take_lease
from engine.store.mailboxes import RedisMailboxes
from engine.store.migrations import MIGRATIONS
from engine.store.presence import process_name


@pytest.fixture
def base(redis: Redis) -> Base:
    return Base(redis)


async def test_an_empty_database_becomes_ours_and_stays_so(base: Base) -> None:
    await claim_layout(base)
    await claim_layout(base)
    assert await base.redis.get("postroom:schema") == str(LAYOUT)


async def test_a_database_of_a_newer_postroom_is_refused(base: Base) -> None:
    await base.redis.set("postroom:schema", LAYOUT + 1)
    with pytest.raises(SettingsError, match=f"layout {LAYOUT + 1}"):
        await claim_layout(base)
    with pytest.raises(SettingsError, match="use a newer one"):
        await migrate(base, lambda _: None)


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5", "a session"])
async def test_a_layout_that_no_postroom_wrote_is_named(base: Base, text: str) -> None:
    await base.redis.set("postroom:schema", text)
    for look in (claim_layout(base), migrate(base, lambda _: None)):
        with pytest.raises(SettingsError, match=f"have '{text}' for a layout"):
            await look


async def test_a_database_of_an_older_postroom_is_refused(base: Base) -> None:
    await base.redis.set("postroom:schema", LAYOUT - 1)
    with pytest.raises(SettingsError, match="run `postroom migrate`"):
        await claim_layout(base)


def test_there_is_a_way_from_every_older_layout() -> None:
    assert sorted(MIGRATIONS) == list(range(1, LAYOUT))


class Steps:
    """Migrations from layout 1 to 3, the second of which may die midway."""

    def __init__(self, deaths: int = 0) -> None:
        self.deaths, self.done = deaths, list[str]()

    async def rename(self, base: Base) -> None:
        self.done.append("rename")
        if await base.redis.exists(base.key("old")):
            await base.redis.rename(base.key("old"), base.key("new"))

    async def count(self, base: Base) -> None:
        self.done.append("count")
        await base.redis.set(base.key("count"), await base.redis.hlen(base.key("new")))
        if self.deaths:
            self.deaths -= 1
            raise ConnectionError("killed")


@pytest.fixture
async def old(base: Base, monkeypatch: pytest.MonkeyPatch) -> Base:
    """A database of layout 1, for a Postroom that needs layout 3."""
    await base.redis.set("postroom:schema", 1)
    await base.redis.hset("postroom:old", mapping={"a": "1", "b": "2"})
    monkeypatch.setattr(layout, "LAYOUT", 3)
    return base


async def test_migrations_run_in_order_and_tell_how_far_they_are(old: Base) -> None:
    steps, reached = Steps(), list[int]()
    await migrate(old, reached.append, {1: steps.rename, 2: steps.count})
    assert reached == [2, 3]
    assert await old.redis.get("postroom:count") == "2"
    await claim_layout(old)
    await migrate(old, reached.append, {})
    assert reached == [2, 3]


async def test_a_migration_that_was_cut_off_goes_on_where_it_stopped(old: Base) -> None:
    steps = Steps(deaths=1)
    with pytest.raises(ConnectionError):
        await migrate(old, lambda _: None, {1: steps.rename, 2: steps.count})
    with pytest.raises(SettingsError, match="have layout 2"):
        await claim_layout(old)
    await migrate(old, lambda _: None, {1: steps.rename, 2: steps.count})
    assert steps.done == ["rename", "count", "count"]
    assert await old.redis.get("postroom:schema") == "3"


@pytest.mark.parametrize("role", ["web", "worker"])
async def test_nothing_is_migrated_below_web_and_worker(old: Base, redis_url: str, role: str) -> None:
    async with connect(redis_url, process_name("postroom", role)) as process:
        await process.ping()
        with pytest.raises(SettingsError, match=f"connected are: {role}"):
            await migrate(old, lambda _: None, {1: Steps().rename})
    assert await old.redis.get("postroom:schema") == "1"


async def test_two_migrations_at_once_are_refused(old: Base) -> None:
    async with take_lease(old, old.key("migrating")):
        with pytest.raises(SettingsError, match="another"):
            await migrate(old, lambda _: None, {1: Steps().rename})


@pytest.mark.parametrize("times", [1, 2], ids=["once", "once more after it was cut off"])
async def test_to_layout_2_addresses_become_profiles(base: Base, times: int) -> None:
    for _ in range(times):
        await base.redis.set("postroom:schema", 1)
        await base.redis.hset("postroom:addresses", "a@x.example", '["a@x.example", "alias@x.example"]')
        await migrate(base, lambda _: None)
    (profile,) = (await RedisMailboxes(base).profiles()).values()
    assert profile.active
    assert profile.addresses == {"a@x.example", "alias@x.example"}
    assert not await base.redis.exists("postroom:addresses")
