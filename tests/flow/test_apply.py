"""Rules applied to mail that is there already: previewed, done through the lane, and never twice."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from engine.errors import RateLimited, Rejected
from engine.flow.apply import Applying, Planned, Tried, Wish, hand_over, preview
from engine.flow.applying import ACTED, OFF
from engine.flow.listing import list_keys
from engine.mail.events import Event, EventKind
from engine.store.records import RedisRecords
from tests.flow.conftest import DAY_MS, World
from tests.flow.fakes import BOX, START_MS, mail

FILE = "{id: file, when: {subject: {contains: order}}, then: [label: {add: [Orders], remove: [INBOX]}]}"
REPLY = "{id: thank, when: {subject: {contains: order}}, then: [label: Thanked, reply: hi]}"
LONG_AGO = datetime.fromtimestamp((START_MS - 30 * DAY_MS) / 1000, UTC)


def wish(**asked: object) -> Wish:
    return replace(Wish(BOX, LONG_AGO), **asked)  # type: ignore[arg-type]


async def applying(world: World) -> Applying:
    book, cursor = world.keeper.current(), await world.mailboxes.cursor(BOX)
    assert book
    assert cursor
    draining = world.draining
    return Applying(
        world.lanes,
        RedisRecords(world.base),
        world.provider,
        book,
        cursor,
        await world.mailboxes.profiles(),
        world.clock,
        draining.configured,
        draining.answer_within,
    )


async def previewed(world: World, asked: Wish) -> list[Planned]:
    with_all = await applying(world)
    keys = await list_keys(world.provider, BOX, asked.since)
    return [one async for one in preview(with_all, asked, keys)]


async def apply(world: World, asked: Wish) -> list[str]:
    """Preview, do it, and say which (message, rule) the preview named."""
    tried, planned = Tried(), await previewed(world, asked)
    for one in planned:
        tried.add(one, remembers=True)
    async for _ in hand_over(await applying(world), asked, tried.keys, pause_s=0):
        await world.drain()
    await world.execute_all()
    states = await RedisRecords(world.base).run_states(tried.runs)
    assert states.keys() == set(tried.runs), "what was previewed is what happens"
    return [f"{one.key} {run.rule}" for one in planned for run in one.runs]


@pytest.fixture
async def old(world: World) -> World:
    """A mailbox with mail of before it came into service, and none of since then."""
    for number, subject in enumerate(["order 1", "hello", "order 2"]):
        world.provider.deliver(f"m{number}", mail(subject), received=START_MS - (3 - number) * DAY_MS)
    world.provider.records.clear()
    world.clock.forward(DAY_MS)
    await world.rules(FILE)
    await world.poll()
    return world


async def test_old_mail_is_acted_upon_and_nothing_else_is_touched(old: World) -> None:
    assert await apply(old, wish()) == ["m0 file", "m2 file"]
    assert old.provider.labels("m0") == {"UNREAD", "Orders"}
    assert old.provider.labels("m1") == {"UNREAD", "INBOX"}
    assert [(one.state, one.run.rule) for one in await old.runs()] == [("done", "file")] * 2


async def test_a_preview_writes_nothing(old: World) -> None:
    before = await old.base.redis.keys("*")
    planned = await previewed(old, wish())
    assert [len(one.runs) for one in planned] == [1, 0, 1]
    assert await old.base.redis.keys("*") == before
    assert not old.provider.changes


async def test_what_is_applied_is_read_behind_new_mail(old: World) -> None:
    await old.rules("{id: alone, when: {thread: {messages: 1}}, then: [label: Alone]}")
    old.provider.calls.clear()
    planned = await previewed(old, wish())
    assert old.provider.calls == {"list_messages": 1, "fetch": 3, "thread": 3}
    assert old.provider.unhurried == old.provider.calls
    async for _ in hand_over(await applying(old), wish(), [one.key for one in planned], pause_s=0):
        await old.drain()
    assert old.provider.unhurried == {"list_messages": 1, "fetch": 6, "thread": 6}
    assert old.provider.calls == old.provider.unhurried + Counter(change_labels=1)


async def test_applying_again_does_nothing_new(old: World) -> None:
    await apply(old, wish())
    assert await apply(old, wish()) == []
    old.provider.relabel("m0", add=["INBOX"], remove=["Orders"])
    assert await apply(old, wish()) == [], "what a person took back stays as it is"
    assert len(old.provider.changes) == 1


async def test_what_a_rule_did_as_mail_came_is_not_done_again(old: World) -> None:
    old.provider.deliver("new", mail("order 3"))
    await old.read_and_drain()
    old.provider.relabel("new", add=["INBOX"], remove=["Orders"])
    assert "new file" not in await apply(old, wish())


async def test_an_edited_rule_does_what_is_new(old: World) -> None:
    await apply(old, wish())
    await old.rules(FILE.replace("Orders", "Sales"))
    assert await apply(old, wish()) == ["m0 file", "m2 file"]
    assert old.provider.labels("m0") == {"UNREAD", "Orders", "Sales"}


async def test_mail_that_is_so_already_gets_no_run(old: World) -> None:
    old.provider.relabel("m0", add=["Orders"], remove=["INBOX"])
    assert await apply(old, wish()) == ["m2 file"]


async def test_sends_stay_off_unless_asked_for(old: World) -> None:
    await old.rules(REPLY)
    assert await apply(old, wish()) == ["m0 thank", "m2 thank"]
    assert not old.provider.sent
    assert [one.run.held for one in await old.runs()] == [{1: OFF}] * 2


async def test_sends_go_out_once_when_asked_for(old: World) -> None:
    await old.rules(REPLY)
    await apply(old, wish())
    assert await apply(old, wish(sends=True)) == ["m0 thank", "m2 thank"]
    assert len(old.provider.sent) == 2
    assert await apply(old, wish(sends=True)) == []
    await old.rules(REPLY.replace("Thanked", "Answered"))
    await apply(old, wish(sends=True))
    assert len(old.provider.sent) == 2, "an edited rule labels, and does not answer again"
    assert [one.run.held for one in await old.runs()].count({1: ACTED}) == 2


async def test_who_was_answered_as_mail_came_is_not_answered_again(old: World) -> None:
    await old.rules(REPLY)
    old.provider.deliver("new", mail("order 3"))
    await old.read_and_drain()
    await old.execute_all()
    assert len(old.provider.sent) == 1
    await old.rules(REPLY.replace("Thanked", "Answered"))
    await apply(old, wish(sends=True))
    assert old.provider.labels("new") == {"INBOX", "UNREAD", "Thanked", "Answered"}
    assert len(old.provider.sent) == 3, "the two old ones alone"


async def test_the_guard_stands_before_what_is_applied(old: World) -> None:
    await old.rules(REPLY)
    old.provider.deliver("robot", mail("order 9", Auto_Submitted="auto-replied"), received=START_MS)
    old.provider.deliver("ancient", mail("order 8"), received=START_MS - 20 * DAY_MS)
    old.provider.records.clear()
    await apply(old, wish(sends=True))
    assert len(old.provider.sent) == 2
    held = {one.run.key: str(one.run.held) for one in await old.runs() if one.run.held}
    assert "automated mail" in held["robot"]
    assert "answer_within" in held["ancient"]


async def test_one_answer_to_each_correspondent_counts_over_all_batches(old: World) -> None:
    await old.rules(REPLY.replace("reply: hi", "reply: {template: hi, once_per: {sender: 7d}}"))
    await apply(old, wish(sends=True))
    assert len(old.provider.sent) == 1


async def test_one_rule_acts_as_it_does_among_the_others(old: World) -> None:
    await old.rules(
        "{id: first, when: {subject: {contains: order 1}}, then: [label: First], stop: true}", FILE
    )
    assert await apply(old, wish(only="file")) == ["m2 file"], "the first rule stops m0 before it"
    assert old.provider.labels("m0") == {"INBOX", "UNREAD"}


async def test_what_is_judged_as_it_comes_is_left_to_that(old: World) -> None:
    old.provider.deliver("queued", mail("order 4"))
    await old.poll()
    old.provider.deliver("unread", mail("order 5"))
    left = {one.key: one.left for one in await previewed(old, wish()) if one.left}
    assert left == {"queued": "judged as it comes", "unread": "judged as it comes"}
    await apply(old, wish())
    await old.read_and_drain()
    assert "Orders" in old.provider.labels("unread")
    assert sorted(key for key, _ in await old.matched()) == ["m0", "m2", "queued", "unread"]


@pytest.mark.parametrize(
    ("labels", "why"),
    [
        pytest.param(["SENT"], "went out from here", id="what we sent"),
        pytest.param(["DRAFT"], "went out from here", id="a draft"),
        pytest.param(["TRASH"], "in the trash", id="what was thrown away"),
    ],
)
async def test_some_mail_is_never_touched(old: World, labels: list[str], why: str) -> None:
    old.provider.deliver("x", mail("order 7"), labels=labels, received=START_MS - DAY_MS)
    assert {one.key: one.left for one in await previewed(old, wish())}["x"] == why
    old.provider.records.clear()
    book = old.keeper.current()
    assert book
    await old.lanes.offer(BOX, [wish().event("x", book.rules.digest)], old.clock())
    await old.drain()
    assert old.provider.labels("x") == set(labels)


async def test_only_what_arrived_since_then_is_touched(old: World) -> None:
    since = datetime.fromtimestamp((START_MS - 2 * DAY_MS) / 1000, UTC)
    assert await apply(old, wish(since=since)) == ["m2 file"]


async def test_rules_that_changed_after_the_preview_do_nothing(old: World) -> None:
    before = await applying(old)
    await old.rules(FILE.replace("Orders", "Sales"))
    async for _ in hand_over(before, wish(), ["m0", "m2"], pause_s=0):
        await old.drain()
    assert not await old.runs()
    assert not old.provider.changes


async def test_new_mail_is_judged_though_rules_were_applied_to_it(old: World) -> None:
    book = old.keeper.current()
    assert book
    old.provider.deliver("new", mail("order 6"))
    await old.lanes.offer(BOX, [wish(only="none").event("new", book.rules.digest)], old.clock())
    await old.read_and_drain()
    assert ("new", "file") in await old.matched()


async def test_copies_are_told_from_what_is_judged_once_more(old: World) -> None:
    await old.rules("{id: twice, when: {duplicate: message_id}, then: [label: Copy]}")
    old.provider.deliver("new", mail("alone 6"))
    await old.read_and_drain()
    assert await apply(old, wish()) == ["m2 twice"], "the second order, and not the new one of itself"


async def test_newer_mail_makes_no_copy_or_burst_of_older_mail(old: World) -> None:
    await old.rules(
        "{id: twice, when: {duplicate: message_id}, then: [label: Copy]}",
        "{id: many, when: {rate: {per: from, more_than: 2, within: 1h}}, then: [label: Burst]}",
    )
    for key in ("n1", "n2"):
        old.provider.deliver(key, mail("hello"))
        await old.read_and_drain()
    assert await old.matched() == [("n2", "twice")]
    assert await apply(old, wish()) == ["m2 twice"], "the second order alone, and no burst of newer mail"


async def test_a_service_that_asks_us_to_wait_is_waited_for(old: World) -> None:
    old.provider.failures["fetch m2"] = [RateLimited("slowly", until=0)]
    assert await apply(old, wish()) == ["m0 file", "m2 file"]


async def test_what_cannot_be_had_is_left_alone_and_said_to_be(old: World) -> None:
    old.provider.failures["fetch m2"] = [Rejected("no")] * 2
    planned = await previewed(old, wish())
    assert "not to be had now" in next(one.left for one in planned if one.key == "m2")


async def test_threads_are_answered_once_over_one_preview(old: World) -> None:
    await old.rules(
        "{id: once, when: {all: [{subject: {contains: order}}, {thread: {replied_by_us: false}}]},"
        " then: [reply: hi]}"
    )
    old.provider.threads |= {"m0": "t", "m2": "t"}
    assert await apply(old, wish(sends=True)) == ["m0 once"]
    assert len(old.provider.sent) == 1


def test_an_event_says_what_was_asked_for_and_others_say_nothing_of_it() -> None:
    asked = wish(only="file", sends=True).event("k", "d1")
    assert Event.from_json(asked.to_json()) == asked
    assert asked.id == Event(EventKind.MESSAGE_RECEIVED, BOX, 7, "k").id
    assert "applied" not in Event(EventKind.MESSAGE_RECEIVED, BOX, 7, "k").to_json()


async def test_what_a_rule_in_shadow_looked_at_is_acted_upon_once_it_is_live(world: World) -> None:
    await world.rules(REPLY.replace("id: thank", "id: thank, state: shadow"))
    await world.poll()
    world.provider.deliver("m1", mail("order 1"))
    await world.read_and_drain()
    world.clock.forward(DAY_MS)
    await world.poll()
    assert await apply(world, wish(sends=True)) == []
    await world.rules(REPLY)
    assert await apply(world, wish(sends=True)) == ["m1 thank"]
    assert world.provider.labels("m1") == {"UNREAD", "INBOX", "Thanked"}
    assert len(world.provider.sent) == 1
