"""`event: message.unanswered`: messages that nobody has answered in time are judged then, once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from engine.flow.tick import tick
from engine.store.timers import RedisTimers
from tests.flow.conftest import RETENTION_MS, World
from tests.flow.fakes import BOX, mail

HOUR_MS = 3_600_000
Meanwhile = Callable[[World], Awaitable[None]]
LATE = "{id: late, event: message.unanswered, after: 48h, when: {from: '@x.example'}, then: [{label: Late}]}"


async def pending(world: World) -> int:
    return (await RedisTimers(world.base).counts(world.clock()))[0]


async def received(world: World, *rules: str) -> None:
    """Message 1 came and was decided by the rules."""
    await world.rules(*rules)
    world.provider.threads = dict.fromkeys(("1", "2", "3"), "t")
    world.provider.deliver("1", mail("help"))
    await world.read_and_drain()


async def hours_later(world: World, hours: int) -> None:
    world.clock.forward(hours * HOUR_MS)
    await world.base.redis.delete(world.base.key("turn", "tick"))
    await tick(world.waking, world.scheduling, {}, RETENTION_MS, world.clock())
    await world.drain()


def is_late(world: World) -> bool:
    return "Late" in world.provider.labels("1")


async def test_a_message_is_judged_when_its_time_has_come(world: World) -> None:
    await received(world, LATE)
    await hours_later(world, 47)
    assert (is_late(world), world.provider.calls["thread"]) == (False, 0)
    await hours_later(world, 1)
    assert is_late(world)
    assert world.provider.calls["thread"] == 1
    assert (await world.run()).run.kind == "message.unanswered.172800"
    await hours_later(world, 48)
    assert len(await world.runs()) == 1
    assert await pending(world) == 0


async def answer(world: World, **headers: str) -> None:
    world.clock.forward(HOUR_MS)
    world.provider.deliver("2", mail("re", BOX, "ann@x.example", **headers), ["SENT"])


async def in_trash(world: World) -> None:
    world.provider.relabel("1", ["TRASH"], ["INBOX"])


async def in_spam(world: World) -> None:
    world.provider.relabel("1", ["SPAM"], ["INBOX"])


async def gone(world: World) -> None:
    world.provider.delete_message("1")


async def without_the_rule(world: World) -> None:
    await world.rules("{id: other, when: {subject: nothing}, then: [{label: Other}]}")


async def with_another_time(world: World) -> None:
    await world.rules(LATE.replace("48h", "72h"))


NOT_LATE = [answer, in_trash, in_spam, gone, without_the_rule, with_another_time]


@pytest.mark.parametrize("meanwhile", NOT_LATE, ids=lambda each: each.__name__)
async def test_nothing_happens(world: World, meanwhile: Meanwhile) -> None:
    await received(world, LATE)
    await meanwhile(world)
    await world.read_and_drain()
    await hours_later(world, 48)
    assert await world.runs() == []
    assert await world.queued() == []


async def automatic(world: World) -> None:
    await answer(world, Auto_Submitted="auto-replied")


async def a_draft(world: World) -> None:
    world.provider.deliver("2", mail("re", BOX), ["DRAFT"])


async def written_before(world: World) -> None:
    before = world.clock() - HOUR_MS
    world.provider.deliver("2", mail("re", BOX), ["SENT"], received=before)


async def asked_again(world: World) -> None:
    world.provider.deliver("2", mail("and"))


STILL_LATE = [automatic, a_draft, written_before, asked_again]


@pytest.mark.parametrize("meanwhile", STILL_LATE, ids=lambda each: each.__name__)
async def test_it_still_counts_as_unanswered(world: World, meanwhile: Meanwhile) -> None:
    await received(world, LATE)
    await meanwhile(world)
    await world.read_and_drain()
    await hours_later(world, 48)
    assert is_late(world)


async def test_each_time_has_a_timer_of_its_own_and_rules_share_it(world: World) -> None:
    twin = LATE.replace("late", "twin").replace("48h", "2d").replace("Late", "Twin")
    soon = LATE.replace("late", "soon").replace("48h", "1h").replace("Late", "Soon")
    await received(world, LATE, twin, soon)
    assert await pending(world) == 2
    await hours_later(world, 1)
    assert world.provider.labels("1") == {"INBOX", "UNREAD", "Soon"}
    await hours_later(world, 48)
    assert world.provider.labels("1") == {"INBOX", "UNREAD", "Soon", "Late", "Twin"}


async def test_a_mailbox_without_such_rules_has_no_timers(world: World) -> None:
    await received(world, LATE.replace("{id", "{mailboxes: [other@x.example], id"))
    assert await pending(world) == 0


async def test_the_time_counts_from_arrival_where_the_message_was_read(world: World) -> None:
    await world.rules(LATE, "{when: {subject: help}, then: [{label: Seen}]}")
    world.provider.deliver("1", mail("help"))
    world.clock.forward(40 * HOUR_MS)
    await world.read_and_drain()
    await hours_later(world, 8)
    assert is_late(world)


async def test_what_went_out_or_is_judged_again_sets_no_timer(world: World) -> None:
    await received(world, LATE)
    await answer(world)
    world.provider.relabel("1", ["Other"])
    await world.read_and_drain()
    assert await pending(world) == 1


async def test_restart_with_overdue_timers_makes_up_for_them(world: World) -> None:
    await received(world, LATE)
    await hours_later(world, 24 * 20)
    assert is_late(world)
