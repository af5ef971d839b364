"""Runs that a batch opens are begun by the same process, and else enqueued: one of both, always."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from engine.errand import BACKGROUND, in_background
from engine.errors import LeaseLost
from engine.flow.stores import Commit, Tried
from engine.store import shortcut
from engine.store.base import Base
from engine.store.lanes import RedisLanes
from engine.store.leases import HeldLease
from tests.store.test_lanes import BOX, group, run


class Works:
    """A process that begins runs, of which none ends before it may."""

    def __init__(self, redis: Redis) -> None:
        self.base = Base(redis)
        self.lanes = RedisLanes(self.base)
        self.begun: list[str] = []
        self.in_background: list[bool] = []
        self.may_end = asyncio.Event()

    async def do(self, name: str) -> None:
        self.begun.append(name)
        self.in_background.append(BACKGROUND.get())
        await self.may_end.wait()

    async def commit(self, *keys: str) -> None:
        async with self.lanes.lease(BOX) as lease:
            assert lease is not None
            await self.lanes.commit(BOX, lease, sending(*keys), now=10)
        await asyncio.sleep(0)

    async def enqueued(self) -> int:
        return int(await self.base.redis.zcard(self.base.queue))


def sending(*keys: str) -> Commit:
    return Commit(done=(), digest="d", runs=tuple(run(key, labels=False, send=True) for key in keys))


@pytest.fixture
async def works(redis: Redis) -> AsyncIterator[Works]:
    made = Works(redis)
    async with made.base.shortcut.open(made.do):
        yield made


async def test_who_is_no_worker_enqueues(redis: Redis) -> None:
    web = Works(redis)
    await web.commit("1")
    assert (web.begun, await web.enqueued()) == ([], 1)


async def test_runs_are_carried_out_at_once_as_far_as_there_is_room(
    works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shortcut, "MOST", 2)
    await works.commit("1", "2", "3")
    assert works.begun == [run("1").id, run("2").id]
    assert await works.enqueued() == 1
    assert await works.base.redis.zcard(works.base.key("due")) == 3  # The tick looks after all of them.


async def test_batches_that_are_carried_out_at_the_same_time_share_the_room(
    works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shortcut, "MOST", 2)
    async with works.lanes.lease(BOX) as lease:
        assert lease is not None
        batches = (works.lanes.commit(BOX, lease, sending(*keys), now=10) for keys in ("12", "34"))
        await asyncio.gather(*batches)
    await asyncio.sleep(0)
    assert (len(works.begun), await works.enqueued()) == (2, 2)


async def test_nothing_is_begun_that_was_not_committed(works: Works, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shortcut, "MOST", 1)
    with pytest.raises(LeaseLost):
        await works.lanes.commit(BOX, HeldLease("postroom:lease:x"), sending("1"), now=10)
    await asyncio.sleep(0)
    assert works.begun == []
    await works.commit("2")
    assert works.begun == [run("2").id]


async def test_a_run_that_was_opened_before_goes_on_at_its_own_time(works: Works) -> None:
    one = run("1", send=True)
    tried = group(one).model_copy(update={"tries": 1})
    async with works.lanes.lease(BOX) as lease:
        assert lease is not None
        await works.lanes.commit(BOX, lease, Commit((), runs=(one,), groups=(group(one),)), now=10)
        assert works.begun == []
        await works.lanes.settle_groups(
            BOX, lease, [Tried(group(one), opened=(one.id,), instead=(tried,))], now=20
        )
        await works.lanes.settle_groups(BOX, lease, [Tried(tried, opened=(one.id,))], now=30)
    await asyncio.sleep(0)
    assert works.begun == [one.id]


async def test_what_is_begun_has_the_whole_budget_whoever_began_it(works: Works) -> None:
    with in_background():
        await works.commit("1")
    assert works.in_background == [False]


async def test_who_is_to_end_begins_no_more_and_lets_come_to_its_end_what_is_under_way(works: Works) -> None:
    await works.commit("1")
    finishing = asyncio.create_task(works.base.shortcut.finish(seconds=30))
    await asyncio.sleep(0)
    await works.commit("2")
    assert not finishing.done()
    works.may_end.set()
    await finishing
    assert (works.begun, await works.enqueued()) == ([run("1").id], 1)
