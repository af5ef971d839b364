"""What an append notes of a mailbox's habit, of rings and of causes."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from engine import tracing
from engine.flow.plan import LabelGroup
from engine.flow.stores import Tried
from engine.mail.events import Event, EventKind
from engine.store.base import Base
from engine.store.batch import dump
from engine.store.lanes import RedisLanes, dump_group
from engine.store.mailboxes import RedisMailboxes

BOX = "support@acme.example"
DAY_MS = 86_400_000
NOON = 20_400 * DAY_MS + DAY_MS // 2
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class Service:
    """A mailbox that is read by hand."""

    def __init__(self, redis: Redis) -> None:
        self.base = Base(redis)
        self.mailboxes, self.lanes = RedisMailboxes(self.base), RedisLanes(self.base)
        self.at = 0

    async def find(
        self, now: int, *, read: int | None = None, kind: EventKind = EventKind.MESSAGE_RECEIVED
    ) -> None:
        """One event is found by a read that begins now; the complete read before it began at `read`."""
        if read is not None:
            await self.mailboxes.polled(BOX, 0, read)
        self.at += 1
        event = Event(kind, BOX, self.at, f"m{self.at}")
        assert await self.mailboxes.append(BOX, self.at - 1, self.at, [event], now)

    async def habit(self) -> dict[int, int]:
        known = await self.base.redis.hgetall(self.base.key("habit", BOX))
        return {int(day): int(silence) for day, silence in known.items()}

    async def unrung(self) -> int:
        return int(await self.base.redis.hget(self.base.key("unrung"), BOX) or 0)


@pytest.fixture
async def service(redis: Redis) -> Service:
    made = Service(redis)
    await made.mailboxes.start(BOX, 0, NOON)
    return made


async def test_the_longest_silence_of_each_day_is_kept(service: Service) -> None:
    await service.find(NOON, read=NOON - 60_000)
    await service.find(NOON + 500_000, read=NOON + 440_000)
    await service.find(NOON + 600_000, read=NOON + 540_000)
    assert await service.habit() == {20_400: 440_000}
    await service.find(NOON + DAY_MS, read=NOON + DAY_MS - 1_000)
    assert await service.habit() == {20_400: 440_000, 20_401: DAY_MS - 601_000}


async def test_the_time_in_which_nobody_looked_is_no_silence(service: Service) -> None:
    await service.find(NOON, read=NOON - 1)
    await service.find(NOON + 5 * DAY_MS, read=NOON + 1_000)
    assert await service.habit() == {20_400: 0, 20_405: 1_000}


async def test_a_habit_is_forgotten_after_four_weeks(service: Service) -> None:
    for day in range(0, 60, 5):
        await service.find(NOON + day * DAY_MS, read=NOON + day * DAY_MS - 1_000)
    assert min(await service.habit()) == 20_400 + 30
    assert max(await service.habit()) == 20_400 + 55


async def test_an_append_that_comes_too_late_notes_nothing(service: Service) -> None:
    await service.find(NOON)
    event = Event(EventKind.MESSAGE_RECEIVED, BOX, 9, "late")
    assert not await service.mailboxes.append(BOX, 0, 9, [event], NOON + DAY_MS)
    assert await service.habit() == {20_400: 0}


async def test_arrivals_that_nobody_rang_for_are_counted_until_somebody_rings(service: Service) -> None:
    for minute in range(3):
        await service.find(NOON + minute * 60_000)
    assert await service.unrung() == 3
    await service.mailboxes.ring([BOX], NOON + 180_000)
    await service.find(NOON + 180_020)
    assert await service.unrung() == 0


async def test_a_ring_that_comes_after_its_mail_was_found_counts_as_well(service: Service) -> None:
    for minute in range(4):
        await service.find(NOON + minute * 60_000)
        await service.mailboxes.ring([BOX], NOON + minute * 60_000 + 2_000)
        await service.find(NOON + minute * 60_000 + 2_020, kind=EventKind.LABEL_ADDED)
    assert await service.unrung() == 0


async def test_a_read_of_many_pages_finds_once_what_nobody_rang_for(service: Service) -> None:
    for minute, rung in enumerate((True, False, False)):
        if rung:
            await service.mailboxes.ring([BOX], NOON)
        with tracing.span("poll", tracing.new()):
            for page in range(6):
                await service.find(NOON + minute * 60_000 + page)
        assert await service.unrung() == minute


async def test_what_is_no_arrival_need_not_ring(service: Service) -> None:
    for minute in range(6):
        await service.find(NOON + minute * 60_000, kind=EventKind.LABEL_ADDED)
    assert await service.unrung() == 0


async def test_a_poll_goes_on_from_the_newest_ring_that_nobody_heard(service: Service) -> None:
    assert (await service.mailboxes.outset(BOX)).trace == ""
    await service.mailboxes.ring([BOX], NOON, {BOX: "00-older"})
    await service.mailboxes.ring([BOX], NOON, {BOX: TRACE})
    outset = await service.mailboxes.outset(BOX)
    assert outset.trace == TRACE
    await service.mailboxes.polled(BOX, outset.wanted, NOON)
    assert (await service.mailboxes.outset(BOX)).trace == ""


async def test_events_bear_the_cause_that_found_them(service: Service) -> None:
    with tracing.span("poll", TRACE):
        await service.find(NOON)
    await service.find(NOON)
    assert [one.trace for one in await service.lanes.read(BOX, 10, NOON)] == [TRACE, ""]


async def test_events_that_an_older_version_wrote_are_read(service: Service) -> None:
    base = service.base
    event = Event(EventKind.MESSAGE_RECEIVED, BOX, 1, "old").to_json()
    await base.redis.xadd(base.key("events", BOX), {"event": event, "read": "5"})
    await base.redis.hset(base.key("waiting", BOX), "1-0", dump([event, 5, 7]))
    await base.redis.zadd(base.key("waiting-due", BOX), {"1-0": NOON})
    read = await service.lanes.read(BOX, 10, NOON)
    assert [(one.event.key, one.read, one.since, one.trace) for one in read] == [
        ("old", 5, 7, ""),
        ("old", 5, 0, ""),
    ]


async def test_a_label_group_that_an_older_version_wrote_is_taken_off_its_list(service: Service) -> None:
    base = service.base
    old = (
        '{"add":["A"],"remove":[],"keys":["m1"],"runs":{"m1":[{"run":"r","steps":[0],"more":false}]},'
        '"tries":0,"since":0,"again":0}'
    )
    await base.redis.rpush(base.key("groups", BOX), old)
    async with service.lanes.lease(BOX) as lease:
        assert lease
        (group,) = await service.lanes.groups(BOX)
        later = group.model_copy(update={"tries": 1})
        await service.lanes.settle_groups(BOX, lease, [Tried(group, instead=(later,))], NOON)
        assert await service.lanes.groups(BOX) == [later]
        await service.lanes.settle_groups(BOX, lease, [Tried(later)], NOON)
        assert await service.lanes.groups(BOX) == []


async def test_a_label_group_of_ours_is_taken_off_its_list(service: Service) -> None:
    base = service.base
    group = LabelGroup(add=("A",), remove=(), keys=("m1",), runs={"m1": ()})
    await base.redis.rpush(base.key("groups", BOX), dump_group(group))
    async with service.lanes.lease(BOX) as lease:
        assert lease
        (read,) = await service.lanes.groups(BOX)
        await service.lanes.settle_groups(BOX, lease, [Tried(read)], NOON)
        assert await service.lanes.groups(BOX) == []


async def test_a_pause_remembers_since_when_it_lasts(service: Service) -> None:
    base = service.base
    await service.mailboxes.pause(BOX, "refused", NOON + 300_000, NOON)
    await service.mailboxes.pause(BOX, "refused again", NOON + 600_000, NOON + 300_000)
    assert await base.redis.hget(base.key("paused-since"), BOX) == str(NOON)
    await service.mailboxes.resume(BOX)
    assert await base.redis.hget(base.key("paused-since"), BOX) is None
