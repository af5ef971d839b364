"""The tick: once a second for all workers together, it wakes what is due."""

from __future__ import annotations

from engine.flow.tick import BUSY, tick
from tests.flow.conftest import DAY_MS, RETENTION_MS, World
from tests.flow.fakes import BOX

INTERVALS = {BOX: 60_000}


async def jobs(world: World) -> int:
    return int(await world.base.redis.zcard(world.base.queue))


async def ticked(world: World) -> int:
    """How many jobs a tick makes, whoever had the turn before."""
    before = await jobs(world)
    await world.base.redis.delete(world.base.key("turn", "tick"))
    await tick(world.waking, world.scheduling, INTERVALS, RETENTION_MS, world.clock())
    return await jobs(world) - before


async def test_one_worker_ticks_for_all(world: World) -> None:
    world.clock.forward(60_000)
    await tick(world.waking, world.scheduling, INTERVALS, RETENTION_MS, world.clock())
    made = await jobs(world)
    assert made == 1
    await tick(world.waking, world.scheduling, INTERVALS, RETENTION_MS, world.clock())
    assert await jobs(world) == made


async def test_at_rest_a_tick_makes_no_job(world: World) -> None:
    assert await ticked(world) == 0


async def test_a_mailbox_is_polled_when_its_time_has_come(world: World) -> None:
    world.clock.forward(59_999)
    assert await ticked(world) == 0
    world.clock.forward(1)
    assert await ticked(world) == 1


async def test_a_lane_and_a_run_that_lost_their_jobs_are_woken(world: World) -> None:
    await world.rules("{when: {label: INBOX}, then: [reply: hi]}")
    world.provider.deliver("1")
    await world.poll()
    await world.base.redis.delete(world.base.queue)
    assert await ticked(world) == 1
    await world.drain()
    await world.base.redis.delete(world.base.queue)
    world.clock.forward(30_000)
    assert await ticked(world) == 1
    await world.execute_all()
    world.clock.forward(DAY_MS)
    await world.poll()
    assert await ticked(world) == 0


async def test_with_enough_to_do_runs_are_not_enqueued_once_more(world: World) -> None:
    await world.rules("{when: {label: INBOX}, then: [reply: hi]}")
    world.provider.deliver("1")
    await world.read_and_drain()
    world.clock.forward(30_000)
    waiting = {f"job{number}": world.clock() for number in range(BUSY)}
    await world.base.redis.zadd(world.base.queue, waiting)
    assert await ticked(world) == 0


async def test_what_is_settled_is_forgotten_after_its_time_and_open_runs_are_not(world: World) -> None:
    await world.rules("{when: {label: INBOX}, then: [label: A]}")
    world.provider.deliver("old")
    await world.read_and_drain()
    await world.rules("{when: {label: INBOX}, then: [reply: hi]}")
    world.provider.deliver("open")
    await world.read_and_drain()
    old, still_open = await world.runs()
    world.clock.forward(RETENTION_MS + 5_000)
    await world.poll()
    await ticked(world)
    assert [one.run.id for one in await world.runs()] == [still_open.run.id]
    assert await world.lanes.judged(BOX, ["old", "open"]) == set()
    assert await world.base.redis.exists(world.base.key("blob", still_open.run.digest)) == 1
    assert await world.base.redis.exists(world.base.key("blob", old.run.digest)) == 0
    await world.execute_all()
    assert len(world.provider.sent) == 1
