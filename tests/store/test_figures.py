"""Figures of several processes in one place, and what is read from it at one moment."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest
from redis.asyncio import Redis

from engine.flow.silence import Kind
from engine.mail.events import Event, EventKind
from engine.metrics import DECIDED, WEBHOOKS, Pending
from engine.store.base import Base
from engine.store.board import Board, Box
from engine.store.budget import RedisBudget
from engine.store.budget_left import Limits, read_left
from engine.store.figures import GONE_AFTER_MS, Figures, Process
from engine.store.lately import read_lately
from engine.store.mailboxes import RedisMailboxes

BOX = "support@acme.example"
DAY_MS = 86_400_000
NOW = 20_400 * DAY_MS
HOUR_MS = 3_600_000
WORKER = Process("p1", "worker", "host", 7, "0.1.0", NOW, NOW, rules="d1")


@pytest.fixture
def base(redis: Redis) -> Base:
    return Base(redis)


async def test_what_several_processes_counted_is_added_up(base: Base) -> None:
    figures = Figures(base)
    taken = (WEBHOOKS.name, "acme", 'ta"ken')
    await figures.add(Pending({taken: 2, (DECIDED.name, BOX): 5}), WORKER, NOW)
    await figures.add(Pending({taken: 1}, {("signed", "acme account"): 9}), None, NOW)
    assert await figures.totals() == {taken: 3, (DECIDED.name, BOX): 5}
    assert await figures.marks() == {("signed", "acme account"): 9}
    assert await figures.processes(NOW) == [WORKER]


async def test_what_is_sent_again_counts_once(base: Base) -> None:
    figures, counted = Figures(base), Pending({(DECIDED.name, BOX): 5})
    for batch in (("p1", 1), ("p1", 1), ("p2", 1), ("p1", 2), ("p1", 2)):
        await figures.add(counted, WORKER, NOW, batch)
    assert await figures.totals() == {(DECIDED.name, BOX): 15}
    assert await figures.of_last_day(NOW) == {(DECIDED.name, BOX): 15}
    assert 0 < await base.redis.ttl(base.key("counted", "p1")) <= 600


async def test_the_last_day_counts_by_the_hour(base: Base) -> None:
    figures = Figures(base)
    for hours in (0, 3, 24, 25):
        await figures.add(Pending({(DECIDED.name, BOX): 1}), None, NOW - hours * HOUR_MS)
    assert await figures.of_last_day(NOW) == {(DECIDED.name, BOX): 3}
    assert (await read_lately(base, [BOX], NOW))[BOX].decided == 3
    assert 0 < await base.redis.ttl(base.key("hour", str(NOW // HOUR_MS))) <= 26 * 3_600


async def test_a_process_is_named_until_it_leaves_or_is_long_gone(base: Base) -> None:
    figures = Figures(base)
    gone = replace(WORKER, id="p2", seen=NOW - GONE_AFTER_MS - 1)
    for process in (WORKER, gone):
        await figures.add(Pending(), process, NOW)
    assert await figures.processes(NOW) == [WORKER]
    assert WORKER.lives(NOW + 20_000)
    assert not WORKER.lives(NOW + 40_000)
    await figures.leave("p1")
    assert await figures.processes(NOW) == []


async def test_what_a_newer_version_says_of_a_process_does_no_harm(base: Base) -> None:
    said = json.dumps(asdict(WORKER) | {"mood": "good"})
    await base.redis.hset(base.key("processes"), "p", said)
    (process,) = await Figures(base).processes(NOW)
    assert process == WORKER


async def test_the_budget_that_is_left_agrees_with_what_is_granted(base: Base) -> None:
    limits = Limits({"LIGHT": 50.0, "HEAVY": 10.0}, {"HEAVY": 100})
    budget = RedisBudget(base.redis, base.prefix, "acme", limits.per_second, limits.daily)

    async def left() -> dict[str, tuple[int, int]]:
        return {one.rate_class: (one.now, one.today) for one in await read_left(base, {"acme": limits})}

    assert await left() == {"LIGHT": (11, 0), "HEAVY": (3, 100)}
    for _ in range(3):
        assert await budget.take("HEAVY") == 0
    now, today = (await left())["HEAVY"]
    assert (now <= 1, today) == (True, 97)
    await budget.pause("LIGHT", 1e12)
    (light,) = [one for one in await read_left(base, {"acme": limits}) if one.rate_class == "LIGHT"]
    assert (light.now, 86_000 < light.paused <= 86_400) == (0, True)


async def test_a_board_shows_what_waits_and_since_when(base: Base) -> None:
    mailboxes = RedisMailboxes(base)
    await mailboxes.start(BOX, 0, NOW)
    await mailboxes.polled(BOX, 0, NOW - HOUR_MS)
    events = [Event(EventKind.MESSAGE_RECEIVED, BOX, n, f"m{n}") for n in (1, 2)]
    await mailboxes.append(BOX, 0, 2, events, NOW)
    await base.redis.hset(base.key("waiting", BOX), "1000-0", "[]")
    await mailboxes.pause(BOX, "the secret is refused", NOW + 1, NOW - 5)
    board = Board(base, [Box(BOX, "acme", 60_000), Box("b@x.example", "acme", 0)], ["acme"], {})
    snapshot = await board.read(NOW)
    first, second = snapshot.lanes
    assert (first.queued, first.waiting, first.oldest, first.started) == (2, 1, 1000, NOW)
    assert first.pause
    assert (first.pause.since, first.pause.until, first.pause.why) == (
        NOW - 5,
        NOW + 1,
        "the secret is refused",
    )
    assert (second.queued, second.oldest, second.pause, second.started) == (0, 0, None, 0)
    assert [(alarm.kind, alarm.about) for alarm in snapshot.alarms] == [(Kind.UNREAD, BOX)]
    assert (snapshot.jobs, snapshot.jobs_since) == (1, NOW)
    assert (snapshot.digest, snapshot.in_force, snapshot.open, snapshot.dead) == ("", 0, 0, 0)
    assert snapshot.memory > 100_000


async def test_webhooks_that_were_refused_are_alarmed_by_account(base: Base) -> None:
    await Figures(base).add(Pending(marks={("validated", "acme"): 5, ("refused", "acme"): 6}), None, NOW)
    board = Board(base, [], ["acme", "other"], {})
    (alarm,) = (await board.read(NOW)).alarms
    assert (alarm.kind, alarm.about) == (Kind.VALIDATION, "acme")
