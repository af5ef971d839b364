"""What rules remember, through batches, crashes and Redis; and what a thread tells."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from engine.errors import LeaseLost, RateLimited, Rejected, Unavailable
from engine.flow.ports import Fellow
from engine.flow.threads import conversation
from engine.mail.message import Conversation, Message
from engine.store.lanes import RedisLanes
from tests.flow.conftest import World
from tests.flow.fakes import BOX, mail

RATE = "{id: rate, when: {rate: {more_than: 2, per: from, within: 1h}}, then: [{label: Loud}]}"
DUPLICATE = "{id: twice, when: {duplicate: {by: message_id, within: 1h}}, then: [{label: Again}]}"
FIRST = "{id: first, when: {thread: {first: true}}, then: [{label: New}]}"
ANSWER = "{id: answer, when: {thread: {replied_by_us: false}}, then: [reply: {template: hi}]}"
DAY_MS = 86_400_000


def same(world: World, *keys: str) -> None:
    for key in keys:
        world.provider.deliver(key, mail("same"))


async def states(world: World) -> dict[tuple[str, str], str]:
    """How far each (message, rule) is."""
    return {(one.run.key, one.run.rule): one.state for one in await world.runs()}


async def memory_keys(world: World) -> list[str]:
    return [key async for key in world.base.redis.scan_iter(world.base.key("memory", "*"))]


async def test_later_messages_of_a_batch_see_earlier_ones(world: World) -> None:
    await world.rules(DUPLICATE, RATE)
    same(world, "1", "2", "3")
    await world.read_and_drain()
    assert await world.matched() == [("2", "twice"), ("3", "rate"), ("3", "twice")]


async def test_later_batches_see_earlier_ones(world: World) -> None:
    await world.rules(DUPLICATE, RATE)
    for key in "123":
        same(world, key)
        await world.read_and_drain()
    assert await world.matched() == [("2", "twice"), ("3", "rate"), ("3", "twice")]
    assert len(await memory_keys(world)) == 2


async def test_what_is_remembered_lapses_with_its_window(world: World) -> None:
    await world.rules(DUPLICATE)
    same(world, "1")
    await world.read_and_drain()
    (key,) = await memory_keys(world)
    assert 3_590_000 < await world.base.redis.pttl(key) <= 3_602_000
    world.clock.forward(3_600_001)
    same(world, "2")
    await world.read_and_drain()
    assert await world.matched() == []


async def test_a_commit_that_fails_counts_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.rules(DUPLICATE)
    same(world, "1")

    async def lost(*_: object) -> None:
        raise LeaseLost("taken over")

    with monkeypatch.context() as broken:
        broken.setattr(RedisLanes, "commit", lost)
        with pytest.raises(LeaseLost):
            await world.read_and_drain()
    assert await memory_keys(world) == []
    await world.drain()
    assert await world.matched() == []
    assert len(await memory_keys(world)) == 1


async def test_memory_is_read_once_a_batch_and_only_where_a_rule_asks(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    recall = RedisLanes.recall

    async def counted(self: RedisLanes, lane: str, keys: list[str]) -> object:
        asked.append(len(keys))
        return await recall(self, lane, keys)

    monkeypatch.setattr(RedisLanes, "recall", counted)
    await world.rules("{id: plain, when: {subject: x}, then: [{label: A}]}")
    same(world, "1")
    await world.read_and_drain()
    assert asked == []
    await world.rules(DUPLICATE, RATE)
    for key in "2345":
        world.provider.deliver(key, mail(f"m{key}"))
    await world.read_and_drain()
    assert asked == [5]


async def test_a_label_that_memory_brings_calls_in_a_rule_that_remembers(world: World) -> None:
    await world.rules(
        DUPLICATE,
        "{id: third, when: {all: [{label: Again}, {rate: {more_than: 1, per: from, within: 1h}}]},"
        " then: [{label: Third}]}",
    )
    same(world, "1", "2", "3")
    await world.read_and_drain()
    assert await world.matched() == [("2", "twice"), ("3", "third"), ("3", "twice")]


FILE = mail("same", Content_Disposition="attachment; filename=a", Content_Type="application/octet-stream")
AGAIN_FILE = (
    "{id: file, when: {all: [{label: Again}, {not: {attachment: {type: pdf}}}]}, then: [{label: File}]}"
)


async def test_what_only_a_remembered_label_makes_a_rule_need_is_fetched(world: World) -> None:
    await world.rules(
        DUPLICATE,
        AGAIN_FILE,
        "{id: alone, when: {all: [{label: Again}, {thread: {messages: 1}}]}, then: [{label: Alone}]}",
    )
    for key in "12":
        world.provider.deliver(key, FILE)
    await world.read_and_drain()
    assert await world.matched() == [("2", "alone"), ("2", "file"), ("2", "twice")]
    assert await states(world) == {("2", rule): "done" for rule in ("alone", "file", "twice")}
    assert (len(world.provider.fetched["1"]), len(world.provider.fetched["2"])) == (1, 2)


@pytest.mark.parametrize(
    ("error", "left"),
    [
        pytest.param(Unavailable("down"), 1, id="for now, it is put aside"),
        pytest.param(RateLimited("wait", until=0), 1, id="before a while, it is put aside"),
        pytest.param(Rejected("no"), 0, id="for good, the rule is left open"),
    ],
)
async def test_what_is_wanting_late_and_cannot_be_had(world: World, error: Exception, left: int) -> None:
    await world.rules(DUPLICATE, AGAIN_FILE)
    for key in "12":
        world.provider.deliver(key, FILE)
    world.provider.failures["fetch 2 content"] = [error]
    await world.read_and_drain()
    assert await world.waiting() == left
    world.clock.forward(61_000)
    await world.drain()
    state = "done" if left else "dead"
    assert await states(world) == {("2", "file"): state, ("2", "twice"): "done"}


async def test_what_only_the_labels_of_an_earlier_event_make_a_rule_need_is_fetched(world: World) -> None:
    await world.rules(
        "{id: again, when: {subject: same}, then: [{label: Again}]}",
        AGAIN_FILE.replace("file, ", "file, event: label.added, "),
    )
    world.provider.deliver("1", FILE)
    world.provider.relabel("1", add=["Z"])
    await world.read_and_drain()
    assert await states(world) == {("1", "again"): "done", ("1", "file"): "done"}


async def test_a_message_put_aside_is_counted_when_it_is_decided(world: World) -> None:
    await world.rules(DUPLICATE)
    world.provider.failures["fetch 1"] = [Unavailable("down")]
    same(world, "1", "2")
    await world.read_and_drain()
    assert await world.waiting() == 1
    assert await world.matched() == []
    world.clock.forward(61_000)
    await world.drain()
    assert await world.matched() == [("1", "twice")]


async def test_a_label_event_of_a_known_message_is_counted_by_its_own(world: World) -> None:
    await world.rules(
        "{id: busy, event: label.added, when: {rate: {more_than: 1, per: mailbox, within: 1h}},"
        " then: [{label: Busy}]}"
    )
    same(world, "1")
    await world.read_and_drain()
    world.provider.relabel("1", add=["A"])
    await world.read_and_drain()
    assert await world.matched() == []
    world.provider.relabel("1", add=["B"])
    await world.read_and_drain()
    assert await world.matched() == [("1", "busy")]


async def test_a_thread_is_asked_for_once_and_only_where_a_rule_needs_it(world: World) -> None:
    await world.rules(
        "{id: big, when: {all: [{subject: hello}, {thread: {messages: {gte: 3}}}]}, then: [{label: Big}]}"
    )
    world.provider.threads = dict.fromkeys("1234", "t")
    for key in "123":
        world.provider.deliver(key, mail("hello"))
    world.provider.deliver("4", mail("other"))
    world.provider.deliver("5", mail("other"))
    await world.read_and_drain()
    assert await world.matched() == [("1", "big"), ("2", "big"), ("3", "big")]
    assert world.provider.calls["thread"] == 1
    assert world.provider.calls["fetch"] == 5


async def test_the_first_of_a_thread(world: World) -> None:
    await world.rules(FIRST)
    world.provider.threads = dict.fromkeys("12", "t")
    world.provider.deliver("1")
    await world.read_and_drain()
    world.provider.deliver("2")
    await world.read_and_drain()
    assert await world.matched() == [("1", "first")]


@pytest.mark.parametrize("one_batch", [True, False], ids=["in one batch", "in two batches"])
async def test_a_thread_is_answered_once_though_the_answer_is_not_sent_yet(
    world: World, one_batch: bool
) -> None:
    await world.rules(ANSWER)
    world.provider.threads = dict.fromkeys("12", "t")
    world.provider.deliver("1")
    if not one_batch:
        await world.read_and_drain()
    world.provider.deliver("2")
    world.provider.deliver("3")
    await world.read_and_drain()
    assert await world.matched() == [("1", "answer"), ("3", "answer")]


async def test_an_answer_that_the_guard_holds_is_none(world: World) -> None:
    await world.rules(ANSWER)
    world.provider.threads = dict.fromkeys("12", "t")
    world.provider.deliver("1", mail("m1", Auto_Submitted="auto-replied"))
    world.provider.deliver("2")
    await world.read_and_drain()
    assert await world.matched() == [("1", "answer"), ("2", "answer")]


async def test_a_sent_message_in_the_thread_is_an_answer(world: World) -> None:
    await world.rules(ANSWER)
    world.provider.threads = dict.fromkeys(["1", "ours"], "t")
    world.provider.deliver("ours", labels=["SENT"])
    world.provider.deliver("1")
    await world.read_and_drain()
    assert await world.matched() == []


async def test_a_thread_that_is_refused_leaves_other_rules_decided(world: World) -> None:
    await world.rules(FIRST, "{id: any, when: {subject: hello}, then: [{label: A}]}")
    world.provider.failures["thread 1"] = [Rejected("no")]
    world.provider.deliver("1", mail("hello"))
    await world.read_and_drain()
    assert ("1", "any") in await world.matched()
    assert ("1", "first") not in [(one.run.key, one.run.rule) for one in await world.runs() if one.run.steps]


def fellow(key: str, minute: int | None, *labels: str) -> Fellow:
    at = None if minute is None else NOW.replace(minute=minute)
    return Fellow(key, at, frozenset(labels))


NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
THREADS = [
    pytest.param([], (True, 1, False), id="alone, and not listed yet"),
    pytest.param([fellow("k", 30)], (True, 1, False), id="alone"),
    pytest.param([fellow("a", 10), fellow("k", 30)], (False, 2, False), id="an older one"),
    pytest.param([fellow("k", 30), fellow("b", 40)], (True, 2, False), id="a newer one"),
    pytest.param([fellow("k", 30), fellow("b", 40, "DRAFT")], (True, 1, False), id="a draft"),
    pytest.param([fellow("a", 10, "SENT"), fellow("k", 30)], (False, 2, True), id="one of ours"),
    pytest.param([fellow("a", 10, "SENT", "DRAFT")], (True, 1, False), id="a draft of ours"),
    pytest.param([fellow("k", 30, "SENT")], (True, 1, False), id="itself sent by us"),
    pytest.param([fellow("a", None), fellow("k", 30)], (False, 2, False), id="one of unknown age"),
]


@pytest.mark.parametrize(("fellows", "wanted"), THREADS)
def test_what_a_thread_tells(fellows: list[Fellow], wanted: tuple[bool, int, bool]) -> None:
    message = Message("k", BOX, "t", received=NOW)
    assert conversation(message, fellows) == Conversation(*wanted)
