"""Polling: the cursor moves with its events, no ring is lost, refused credentials pause the mailbox."""

from __future__ import annotations

import json

import pytest

from engine.errors import RateLimited, Rejected, Unauthorized, Unavailable
from engine.flow.mailboxes import Cursor
from engine.flow.poll import PAUSE_MS, RETRY_MS, SHORT_MS, hear
from tests.flow.conftest import World
from tests.flow.fakes import BOX, START_MS

INTERVAL = {BOX: 60_000}


async def cursor(world: World) -> Cursor:
    found = await world.mailboxes.cursor(BOX)
    assert found is not None
    return found


async def jobs(world: World) -> int:
    return int(await world.base.redis.zcard(world.base.queue))


async def woken(world: World, interval: int = 0) -> str:
    """The name of the one job that a tick enqueues."""
    before = set(await world.base.redis.zrange(world.base.queue, 0, -1))
    assert await world.waking.polls({BOX: interval}, world.clock()) == 1
    (id_,) = set(await world.base.redis.zrange(world.base.queue, 0, -1)) - before
    return str(json.loads(await world.base.redis.get(f"arq:job:{id_}"))["f"])


async def test_a_new_mailbox_starts_now(world: World) -> None:
    assert await cursor(world) == Cursor(1000, START_MS, START_MS)
    await world.base.redis.flushdb()
    world.provider.deliver("old")
    world.clock.forward(5_000)
    await world.poll()
    assert await world.queued() == []
    world.provider.deliver("new")
    await world.poll()
    assert await world.queued() == ["new"]
    assert (await cursor(world)).history == 1002


async def test_pages_are_read_to_the_end_in_order(world: World) -> None:
    world.provider.page_size = 2
    for key in "12345":
        world.provider.deliver(key)
    await world.poll()
    assert await world.queued() == list("12345")
    assert (await cursor(world)).history == 1005


async def test_a_read_that_fails_moves_nothing(world: World) -> None:
    world.provider.deliver("1")
    world.provider.failures["history"] = [Unavailable("down")]
    before = await cursor(world)
    world.clock.forward(1_000)
    assert await world.poll() == world.clock() + RETRY_MS
    assert await world.queued() == []
    assert await cursor(world) == before
    await world.poll()
    assert await world.queued() == ["1"]


async def test_a_failure_midway_keeps_the_pages_before_it(world: World) -> None:
    world.provider.page_size = 1
    for key in "12":
        world.provider.deliver(key)
    original = world.mailboxes.append

    async def append_then_fail(*args: object, **options: object) -> bool:
        world.provider.failures["history"] = [Unavailable("down")]
        return await original(*args, **options)  # type: ignore[arg-type]

    world.mailboxes.append = append_then_fail  # type: ignore[method-assign]
    assert await world.poll() is not None
    assert (await world.queued(), (await cursor(world)).history) == (["1"], 1001)
    world.mailboxes.append = original  # type: ignore[method-assign]
    await world.poll()
    assert (await world.queued(), (await cursor(world)).history) == (["1", "2"], 1002)


async def test_a_ring_during_a_poll_causes_another_read(world: World) -> None:
    await world.mailboxes.ring([BOX], world.clock())
    reads = world.provider.calls["history"]
    world.provider.meanwhile["history"] = lambda: world.mailboxes.ring([BOX], world.clock())
    await world.poll()
    assert world.provider.calls["history"] == reads + 2
    assert await world.waking.polls({BOX: 0}, world.clock()) == 0
    await world.poll()
    assert world.provider.calls["history"] == reads + 3


async def test_a_ring_that_was_heard_meanwhile_is_not_read_for_again(world: World) -> None:
    await world.mailboxes.ring([BOX], world.clock())
    assert await woken(world) == "hear"
    await world.poll()
    reads = world.provider.calls["history"]
    assert await hear(world.polling, world.provider, BOX) is None
    assert world.provider.calls["history"] == reads
    await world.mailboxes.ring([BOX], world.clock())
    await hear(world.polling, world.provider, BOX)
    assert world.provider.calls["history"] == reads + 1
    assert await world.waking.polls({BOX: 0}, world.clock()) == 0


async def test_a_tick_has_a_mailbox_read_whose_time_has_come_whether_or_not_it_rang(world: World) -> None:
    world.clock.forward(60_000)
    await world.mailboxes.ring([BOX], world.clock())
    assert await woken(world, 60_000) == "poll"


async def test_hearing_a_ring_twice_takes_no_later_ring_down(world: World) -> None:
    await world.mailboxes.ring([BOX], world.clock())
    assert await world.mailboxes.polled(BOX, 1, world.clock())
    await world.mailboxes.ring([BOX], world.clock())
    assert not await world.mailboxes.polled(BOX, 1, world.clock())
    assert await world.waking.polls({BOX: 0}, world.clock()) == 1


async def test_somebody_who_moved_the_cursor_meanwhile_leaves_nothing_unread(world: World) -> None:
    world.provider.deliver("1")
    await world.mailboxes.ring([BOX], world.clock())

    async def other_worker() -> None:
        events = list(world.provider.records)
        assert await world.mailboxes.append(BOX, 1000, 1001, events, world.clock())
        world.provider.deliver("2")

    world.provider.meanwhile["history"] = other_worker
    await world.poll()
    assert await world.queued() == ["1", "2"]


async def test_only_one_polls_at_a_time(world: World) -> None:
    reads = world.provider.calls["history"]
    async with world.mailboxes.lease(BOX):
        assert await world.poll() is None
    assert world.provider.calls["history"] == reads


async def test_rings_while_the_bell_is_up_enqueue_one_poll(world: World) -> None:
    before = await jobs(world)
    for _ in range(5):
        await world.mailboxes.ring([BOX], world.clock())
    assert await jobs(world) == before + 1
    await world.poll()
    await world.mailboxes.ring([BOX], world.clock())
    assert await jobs(world) == before + 2


async def test_refused_credentials_pause_the_mailbox_say_so_and_tick_leaves_it_alone(world: World) -> None:
    world.provider.failures["history"] = [Unauthorized("the client secret is refused")]
    assert await world.poll() == world.clock() + PAUSE_MS
    assert await world.mailboxes.paused() == {BOX: (world.clock() + PAUSE_MS, "the client secret is refused")}
    await world.mailboxes.ring([BOX], world.clock())
    world.clock.forward(PAUSE_MS - 1)
    assert await world.waking.polls(INTERVAL, world.clock()) == 0
    world.clock.forward(1)
    assert await world.waking.polls(INTERVAL, world.clock()) == 1
    await world.poll()
    assert await world.mailboxes.paused() == {}


@pytest.mark.parametrize(
    ("error", "wait"),
    [
        pytest.param(Unavailable("down"), RETRY_MS, id="down"),
        pytest.param(Rejected("no such mailbox"), PAUSE_MS, id="refused, as it will be again"),
        pytest.param(RateLimited("slow", until=START_MS / 1000 + 42), 42_000, id="busy until a time"),
        pytest.param(RateLimited("slow", until=0), 100, id="busy until a time that is over"),
    ],
)
async def test_a_failed_poll_is_put_off(world: World, error: Exception, wait: int) -> None:
    world.provider.failures["history"] = [error]
    assert await world.poll() == world.clock() + wait
    assert list(await world.mailboxes.paused()) == ([BOX] if wait > SHORT_MS else [])


async def test_a_mailbox_that_cannot_be_started_is_started_later(world: World) -> None:
    await world.base.redis.flushdb()
    world.provider.failures["profile"] = [Unauthorized("no")]
    assert await world.poll() == world.clock() + PAUSE_MS
    assert await world.mailboxes.cursor(BOX) is None
    await world.poll()
    assert (await cursor(world)).history == 1000


async def test_unknown_records_are_kept_and_counted(world: World) -> None:
    world.provider.unknown = ['{"id":7,"tasksAdded":[{}]}', '{"id":8}']
    await world.poll()
    kept = [fields for _, fields in await world.base.redis.xrange(world.base.key("unknown"))]
    assert kept == [
        {"mailbox": BOX, "record": '{"id":7,"tasksAdded":[{}]}'},
        {"mailbox": BOX, "record": '{"id":8}'},
    ]
    assert await world.base.redis.hget(world.base.key("counts"), f"unknown:{BOX}") == "2"
