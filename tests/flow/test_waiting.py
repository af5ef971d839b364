"""A message is decided whole or not at all; what cannot be had for now waits, but not for ever."""

from __future__ import annotations

from engine.errors import RateLimited, Rejected, Unavailable
from engine.flow.drain import PATIENCE_MS
from engine.flow.prepare import FIRST_LOOK_MS, LOOK_AGAIN_MS
from engine.mail.events import EventKind
from tests.flow.conftest import World
from tests.flow.fakes import BOX, mail

LABEL_ALL = "{when: {size: {gte: 0}}, then: [label: Seen]}"


def unavailable(count: int = 100) -> list[Exception]:
    return [Unavailable("down") for _ in range(count)]


async def waits(world: World, *keys: str) -> None:
    """Let the first message wait for a part, while the others are judged."""
    for key in keys:
        world.provider.deliver(key)
    world.provider.failures[f"fetch {keys[0]}"] = unavailable()
    await world.read_and_drain()
    assert await world.waiting() == 1


async def wait_in_vain(world: World, ms: int) -> None:
    """Let so much time pass, with a look in each half hour."""
    end = world.clock() + ms
    while world.clock() < end:
        world.clock.forward(min(1_800_000, end - world.clock()))
        await world.drain()


async def test_what_cannot_be_had_waits_with_nothing_planned_and_the_lane_goes_on(world: World) -> None:
    await world.rules(LABEL_ALL)
    await waits(world, "1", "2")
    assert await world.matched() == [("2", "r1")]
    assert await world.lanes.judged(BOX, ["1", "2"]) == {"2"}
    world.provider.failures.clear()
    await world.drain()
    assert await world.waiting() == 1
    world.clock.forward(LOOK_AGAIN_MS)
    await world.drain()
    assert await world.matched() == [("1", "r1"), ("2", "r1")]
    assert await world.waiting() == 0


async def test_it_is_looked_for_soon_and_then_more_and_more_rarely(world: World) -> None:
    await world.rules(LABEL_ALL)
    await waits(world, "1", "2")
    began, looks = world.clock(), []
    for _ in range(300):
        world.clock.forward(FIRST_LOOK_MS)
        before = len(world.provider.failures["fetch 1"])
        await world.drain()
        if len(world.provider.failures["fetch 1"]) < before:
            looks.append((world.clock() - began) // 1_000)
    assert looks[:8] == [1, 2, 3, 5, 8, 12, 18, 27]
    assert looks[-1] - looks[-2] == LOOK_AGAIN_MS // 1_000


async def test_a_lone_message_that_cannot_be_had_waits_as_well(world: World) -> None:
    await world.rules(LABEL_ALL)
    await waits(world, "1")


async def test_a_report_of_a_message_that_waits_does_not_make_it_judged(world: World) -> None:
    await world.rules(LABEL_ALL)
    world.provider.deliver("1")
    world.provider.report(EventKind.MESSAGE_RECEIVED, "1")
    world.provider.deliver("2")
    world.provider.failures["fetch 1"] = unavailable(1)
    await world.read_and_drain()
    assert await world.lanes.judged(BOX, ["1"]) == set()
    world.clock.forward(LOOK_AGAIN_MS)
    await world.drain()
    assert await world.matched() == [("1", "r1"), ("2", "r1")]


async def test_after_a_day_a_message_that_was_never_had_needs_a_person(world: World) -> None:
    await world.rules(LABEL_ALL)
    await waits(world, "1", "2")
    await wait_in_vain(world, PATIENCE_MS - 10_000)
    assert await world.waiting() == 1
    await wait_in_vain(world, LOOK_AGAIN_MS)
    dead = (await world.runs())[-1]
    assert (dead.run.key, dead.state, dead.why) == ("1", "dead", "down")
    assert (await world.waiting(), await world.queued()) == (0, [])
    assert await world.lanes.judged(BOX, ["1"]) == {"1"}


async def test_days_on_which_nobody_looked_are_no_part_of_the_wait(world: World) -> None:
    await world.rules(LABEL_ALL)
    await waits(world, "1", "2")
    for _ in range(2):
        world.clock.forward(2 * PATIENCE_MS)
        await world.drain()
        assert await world.waiting() == 1, "one failure after a halt is no reason to give up"
    await wait_in_vain(world, PATIENCE_MS)
    assert (await world.runs())[-1].state == "dead"


async def test_a_rule_without_its_part_does_nothing_and_its_stop_ends_the_layer(world: World) -> None:
    await world.rules(
        "{id: before, priority: -1, when: {subject: order}, then: [label: Order]}",
        "{id: pdf, when: {all: [subject: order, attachment: {type: pdf}]}, then: [label: Pdf], stop: true}",
        "{id: behind, when: {subject: order}, then: [label: Behind]}",
        "{id: other, layer: after, when: {subject: order}, then: [label: Other]}",
    )
    world.provider.deliver("1", mail("order"))
    world.provider.failures["fetch 1 attachments"] = unavailable()
    await world.read_and_drain()
    await wait_in_vain(world, PATIENCE_MS + 1)
    states = {(one.run.rule, one.state) for one in await world.runs()}
    assert states == {("before", "done"), ("pdf", "dead"), ("other", "done")}
    assert world.provider.labels("1") == {"INBOX", "UNREAD", "Order", "Other"}


async def test_a_part_that_is_refused_for_good_is_not_waited_for(world: World) -> None:
    await world.rules("{when: {attachment: {type: pdf}}, then: [label: Pdf], stop: true}")
    world.provider.deliver("1")
    world.provider.failures["fetch 1"] = [Rejected("never")]
    await world.read_and_drain()
    assert (await world.run()).state == "dead"
    assert await world.waiting() == 0


async def test_a_rate_limit_never_counts_as_the_end_of_patience(world: World) -> None:
    await world.rules(LABEL_ALL)
    await waits(world, "1", "2")
    await wait_in_vain(world, PATIENCE_MS - 10_000)
    world.clock.forward(LOOK_AGAIN_MS)
    until = world.clock() / 1000 + 5
    world.provider.failures["fetch 1"] = [RateLimited("slow", until=until)]
    await world.drain()
    assert await world.matched() == [("2", "r1")]
    world.clock.forward(61_000)
    await world.drain()
    assert await world.matched() == [("1", "r1"), ("2", "r1")]


async def test_a_part_that_is_asked_for_later_and_never_had_leaves_the_other_rules_alone(
    world: World,
) -> None:
    await world.rules(
        "{id: zip, when: {attachment: {type: application/zip}}, then: [label: Zip]}",
        "{id: order, when: {subject: order}, then: [label: Order]}",
    )
    raw = mail("order", Content_Type='application/octet-stream; name="a.bin"', MIME_Version="1.0")
    world.provider.deliver("1", raw)
    world.provider.failures["fetch 1 content"] = [Rejected("never")]
    await world.read_and_drain()
    assert {(one.run.rule, one.state) for one in await world.runs()} == {("zip", "dead"), ("order", "done")}
