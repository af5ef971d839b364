"""Summaries: many items, one message when it is due, whatever dies in between."""

from __future__ import annotations

import asyncio

import pytest

from engine.flow.drain import drain
from engine.flow.recorded import Recorded
from engine.flow.undoing import undo
from engine.mail.events import SUMMARY_DUE
from engine.mail.mime import from_raw
from engine.store import summaries as stored
from engine.store.brake import pause_sends, resume_sends
from engine.store.calls import RedisCalls
from engine.store.journal import RedisJournal
from engine.store.pending import cancel, pending
from engine.store.summaries import RedisSummaries
from engine.store.trim import trim
from tests.flow.conftest import DAY_MS, RETENTION_MS, World
from tests.flow.fakes import BOX, FakeProvider, mail
from tests.flow.test_calls_flow import HOOK, hooked
from tests.flow.test_dying import mine, one_life
from tests.flow.test_undoing import undoing

HOUR_MS = 3_600_000


def rule(when: str = "size: {gte: 0}", number: str = "n", due: str = "every: 1h", head: str = "") -> str:
    action = f"{{template: all, to: [team@acme.example], {due}, with: {{number: '{number}'}}}}"
    return f"{{{head}when: {{{when}}}, then: [{{summary: {action}}}]}}"


ALL = rule()
BY_NUMBER = rule(
    "subject: {regex: '(?s)order (?P<number>.+)'}",
    "{{ captures.number }}",
    "every: 1h, key: '{{ captures.number }}'",
)
OF_CALLS = rule("payload: {path: id, gte: 0}", "{{ payload.id }}", head="event: hook.orders, ")
TEMPLATE = """---
subject: "{{ count }} of {{ key }}"
inputs: {items: list, count: number, more: number, key: text}
---
{% for item in items %}
{{ item.subject | default("call") }}/{{ item.number }};
{% endfor %}
and {{ more }} more
"""
TEMPLATES = {"all.md": TEMPLATE}


async def arrive(world: World, *subjects: str) -> None:
    """Take mail in and carry out what is open by now."""
    for subject in subjects:
        world.provider.deliver(f"m{len(world.provider.messages)}", mail(subject))
    await world.read_and_drain()
    await world.execute_all()


async def called(world: World, number: int) -> None:
    call = hooked({"id": number}, key=str(number))
    await RedisCalls(world.base, RETENTION_MS).take([call], world.clock())
    await drain(world.draining, world.provider, HOOK)


async def when_due(world: World, ms: int = HOUR_MS) -> None:
    world.clock.forward(ms)
    await world.execute_all()


def told(world: World) -> list[tuple[str, list[str]]]:
    """Of each mail that was sent, its subject and its items."""
    read = [from_raw(raw, key="sent") for raw in world.provider.sent]
    return [(one.subject, [item.strip() for item in one.text.split(";")[:-1]]) for one in read]


async def senders(world: World) -> list[Recorded]:
    return [one for one in await world.runs() if one.run.kind is SUMMARY_DUE]


async def left(world: World) -> list[str]:
    parts = [await world.base.redis.keys(world.base.key(part, "*")) for part in ("content", "summary")]
    return sorted(key for keys in parts for key in keys)


async def test_what_matched_within_the_hour_is_told_at_its_end_and_then_erased(world: World) -> None:
    await world.rules(ALL, templates=TEMPLATES)
    await arrive(world, "one")
    await arrive(world, "two", "three")
    assert told(world) == []
    await when_due(world)
    assert told(world) == [("3 of", ["one/n", "two/n", "three/n"])]
    sent = from_raw(world.provider.sent[0], key="sent")
    assert [one.address for one in sent.addresses("To")] == ["team@acme.example"]
    assert sent.headers.all("Auto-Submitted") == ("auto-generated",)
    assert await left(world) == []
    assert {one.state for one in await world.runs()} == {"done"}


async def test_what_comes_after_the_end_begins_the_next(world: World) -> None:
    await world.rules(ALL, templates=TEMPLATES)
    await arrive(world, "one")
    await when_due(world)
    await arrive(world, "two")
    await when_due(world)
    assert told(world) == [("1 of", ["one/n"]), ("1 of", ["two/n"])]


async def test_each_key_has_a_summary_of_its_own(world: World) -> None:
    await world.rules(BY_NUMBER, templates=TEMPLATES)
    await arrive(world, "order 1", "order 2", "order 1")
    await when_due(world)
    assert sorted(told(world)) == [("1 of 2", ["order 2/2"]), ("2 of 1", ["order 1/1", "order 1/1"])]


async def test_a_key_of_hostile_text_becomes_neither_header_nor_recipient(world: World) -> None:
    await world.rules(BY_NUMBER, templates=TEMPLATES)
    hostile = "=?utf-8?q?order_a=0D=0ABcc:_eve=40evil.example=0D=0A{{_7*7_}}<eve@evil.example>?="
    await arrive(world, hostile)
    await when_due(world)
    (raw,) = world.provider.sent
    sent = from_raw(raw, key="sent")
    assert sent.headers.all("Bcc") == ()
    assert [one.address for one in sent.addresses("To")] == ["team@acme.example"]
    assert "\n" not in sent.subject
    assert "{{ 7*7 }}" in sent.subject


async def test_a_time_of_day_is_that_of_the_clocks_and_days_that_the_rule_names(world: World) -> None:
    # The world begins on Thursday, 2026-01-01.
    due = "at: {time: ['08:00', '16:30'], weekday: [sat]}"
    await world.rules(rule(due=due), templates=TEMPLATES)
    await arrive(world, "one")
    (sender,) = await senders(world)
    due = await world.base.redis.zscore(world.base.key("due"), sender.run.id)
    assert due == 1_767_225_600_000 + 2 * DAY_MS + 8 * HOUR_MS


async def test_calls_of_hooks_are_gathered_as_well(world: World) -> None:
    await world.rules(OF_CALLS, templates=TEMPLATES)
    for number in (1, 2):
        await called(world, number)
        await world.execute_all()
    await when_due(world)
    assert told(world) == [("2 of", ["call/1", "call/2"])]


@pytest.mark.parametrize(
    ("bound", "most"), [("MAX_ITEMS", 2), ("MAX_BYTES", 300)], ids=["of so many items", "of so many bytes"]
)
async def test_a_summary_is_bounded_and_says_how_many_more_there_were(
    world: World, monkeypatch: pytest.MonkeyPatch, bound: str, most: int
) -> None:
    monkeypatch.setattr(stored, bound, most)
    await world.rules(ALL, templates=TEMPLATES)
    await arrive(world, *"abcd")
    await when_due(world)
    assert told(world) == [("4 of", ["a/n", "b/n"])]
    assert b"and 2 more" in world.provider.sent[0]


async def test_a_summary_is_told_by_the_template_and_rule_that_gathered_it(world: World) -> None:
    await world.rules(ALL, templates=TEMPLATES)
    await arrive(world, "one")
    await world.rules(
        "{when: {subject: nothing}, then: [archive: true]}", templates={"x.md": "---\nsubject: x\n---\n"}
    )
    await trim(world.base, world.clock() + 100 * DAY_MS, DAY_MS)
    world.__post_init__()  # Another worker, which has compiled nothing yet.
    await when_due(world)
    assert told(world) == [("1 of", ["one/n"])]


async def test_other_words_of_the_rule_begin_a_summary_of_their_own(world: World) -> None:
    await world.rules(ALL, templates=TEMPLATES)
    await arrive(world, "one")
    await world.rules(rule(number="other"), templates=TEMPLATES)
    await arrive(world, "two")
    await when_due(world)
    assert told(world) == [("1 of", ["one/n"]), ("1 of", ["two/other"])]


async def test_mail_from_ourselves_is_not_gathered_lest_summaries_chase_themselves(world: World) -> None:
    await world.rules(ALL, templates=TEMPLATES)
    world.provider.deliver("own", mail("own", sender=BOX))
    await world.read_and_drain()
    run = await world.run()
    assert run.receipts[0]["why"] == "it comes from ourselves"


@pytest.mark.parametrize("rules", [ALL, OF_CALLS], ids=["of a message", "of a call"])
async def test_an_item_is_taken_back_until_its_summary_is_sent(world: World, rules: str) -> None:
    await world.rules(rules, templates=TEMPLATES)
    for number in (1, 2):
        world.provider.deliver(str(number), mail(f"m{number}"))
        await called(world, number)
    await world.read_and_drain()
    await world.execute_all()
    first, second = [one for one in await world.runs() if one.run.kind is not SUMMARY_DUE]
    for acts in (False, True):
        ((taken,),) = [one.others async for one in undo(undoing(world), [first], acts=acts)]
        assert taken.left == ""
    await when_due(world)
    assert [len(items) for _, items in told(world)] == [1]
    ((taken,),) = [one.others async for one in undo(undoing(world), [second], acts=False)]
    assert taken.left == "its summary is sent, or about to be"


async def test_a_summary_of_which_nothing_is_left_is_not_sent(world: World) -> None:
    await world.rules(ALL, templates=TEMPLATES)
    await arrive(world, "one")
    one = next(one for one in await world.runs() if one.receipts)
    await RedisSummaries(world.base).take_out(one.receipts[0]["summary"], f"{one.run.id}.0")
    await when_due(world)
    (sender,) = await senders(world)
    assert (world.provider.sent, sender.receipts[0]["outcome"], sender.state) == ([], "skipped", "done")


POINTS: list[tuple[type, str]] = [
    (RedisSummaries, "add"),
    (RedisSummaries, "close"),
    (RedisJournal, "claim"),
    (RedisJournal, "settle"),
    (RedisJournal, "delay"),
    (FakeProvider, "fetch"),
    (FakeProvider, "send"),
]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("owner", "name"), POINTS, ids=[name for _, name in POINTS])
async def test_whatever_call_it_dies_at_each_is_told_once(
    world: World, monkeypatch: pytest.MonkeyPatch, owner: type, name: str, when: str
) -> None:
    await world.rules(ALL, templates=TEMPLATES)
    for number in range(3):
        world.provider.deliver(str(number), mail(f"s{number}"))
    await world.read_and_drain()
    mine(monkeypatch, owner, name, when)
    for _ in range(12):
        await one_life(world)
        world.clock.forward(HOUR_MS // 4)
    assert sorted(item for _, items in told(world) for item in items) == ["s0/n", "s1/n", "s2/n"]
    assert {one.state for one in await world.runs()} == {"done"}
    assert await left(world) == []


async def test_two_workers_at_once_add_each_item_once(world: World) -> None:
    await world.rules(ALL, templates=TEMPLATES)
    world.provider.deliver("1", mail("one"))
    world.provider.deliver("2", mail("two"))
    await world.read_and_drain()
    runs = [one.run.id for one in await world.runs()]
    await asyncio.gather(*(world.execute(run) for run in [*runs, *runs]))
    await when_due(world)
    ((_, items),) = told(world)
    assert sorted(items) == ["one/n", "two/n"]


async def test_an_item_that_comes_while_the_summary_is_sent_is_told_by_the_next(world: World) -> None:
    await world.rules(ALL, templates=TEMPLATES)
    await arrive(world, "one")
    (sender,) = await senders(world)
    world.provider.meanwhile["send"] = lambda: arrive(world, "two")
    world.clock.forward(HOUR_MS)
    await world.execute(sender.run.id)
    await when_due(world)
    assert told(world) == [("1 of", ["one/n"]), ("1 of", ["two/n"])]


async def test_however_adding_and_sending_meet_each_item_is_told_once(world: World) -> None:
    await world.rules(ALL, templates=TEMPLATES)
    for number in range(20):
        world.provider.deliver(str(number), mail(f"s{number}"))
    await world.read_and_drain()
    items = [one.run.id for one in await world.runs()]
    while items or any(one.state == "open" for one in await world.runs()):
        due = [one.run.id for one in await senders(world) if one.state == "open"]
        some, items = items[:4], items[4:]
        world.clock.forward(HOUR_MS)
        await asyncio.gather(*(world.execute(run) for run in [*some[:2], *due, *some[2:], *due]))
    found = [item for _, items in told(world) for item in items]
    assert sorted(found) == sorted(f"s{number}/n" for number in range(20))


async def test_what_may_have_been_told_before_writes_were_lost_is_left_to_a_person(world: World) -> None:
    await world.rules(ALL, templates=TEMPLATES)
    world.provider.deliver("1", mail("one"))
    await world.read_and_drain()
    run = (await world.run()).run.id
    await world.base.redis.hset(world.base.key("run", run), "doubt", "1")
    await world.execute(run)
    assert ((await world.run()).state, "cannot be known" in (await world.run()).why) == ("dead", True)
    world.clock.forward(1_000)
    assert await world.journal.reopen(run, world.clock())
    await world.execute(run)
    await when_due(world)
    assert [items for _, items in told(world)] == []
    for _ in range(3):  # Whether the summary itself was sent is looked up first.
        await when_due(world)
    assert told(world) == [("1 of", ["one/n"])]


async def test_what_a_summary_gathered_is_kept_as_long_as_sends_are_paused(world: World) -> None:
    await world.rules(ALL, templates=TEMPLATES)
    await arrive(world, "one")
    await pause_sends(world.base, "ann", "", world.clock())
    await when_due(world)
    (sender,) = await senders(world)
    assert await world.base.redis.pttl(world.base.key("content", sender.run.id)) == -1
    await resume_sends(world.base, "ann", world.clock())
    await when_due(world)
    assert told(world) == [("1 of", ["one/n"])]


@pytest.mark.parametrize("by", ["cancelling", "undoing"])
async def test_a_summary_that_was_given_up_leaves_nothing_behind(world: World, by: str) -> None:
    await world.rules(ALL, templates=TEMPLATES)
    await arrive(world, "one")
    (sender,) = await senders(world)
    if by == "cancelling":
        (one,) = [one async for one in pending(world.base) if one.run]
        assert await cancel(world.base, one, "ann", world.clock())
    else:
        assert [one async for one in undo(undoing(world), [sender], acts=True)]
    assert await left(world) == []
    await arrive(world, "two")
    await when_due(world)
    assert told(world) == [("1 of", ["two/n"])]
