"""The next batch is fetched while the one before is decided: each message once, and never out of date."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from engine.errors import MessageGone, RateLimited, Rejected, Unavailable
from engine.flow.ahead import fetchable
from engine.flow.plan import LabelGroup
from engine.flow.stores import Queued
from engine.mail.events import Event, EventKind
from engine.store.lanes import RedisLanes
from tests.flow.conftest import World
from tests.flow.fakes import BOX, mail

LABEL_HELLO = "{when: {subject: hello}, then: [label: A]}"


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.flow.drain.BATCH", 2)
    monkeypatch.setattr("engine.flow.drain.AHEAD", 2)


def before_each_commit(monkeypatch: pytest.MonkeyPatch, wait: Callable[[], Awaitable[object]]) -> None:
    """Have something happen before anything is committed."""
    commit = RedisLanes.commit

    async def waiting(self: RedisLanes, *args: object) -> None:
        await wait()
        await commit(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(RedisLanes, "commit", waiting)


def fetched_before_each_commit(world: World, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count the messages that were fetched by then, tasks that had begun included."""
    known: list[int] = []

    async def look() -> None:
        await asyncio.sleep(0)
        known.append(len(world.provider.fetched))

    before_each_commit(monkeypatch, look)
    return known


async def test_the_next_batch_is_fetched_before_the_one_before_is_committed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.rules(LABEL_HELLO)
    known = fetched_before_each_commit(world, monkeypatch)
    for key in "123456":
        world.provider.deliver(key, mail("hello"))
    assert await world.read_and_drain() is None
    assert known == [4, 6, 6]
    assert {key: len(needs) for key, needs in world.provider.fetched.items()} == dict.fromkeys("123456", 1)
    assert await world.matched() == [(key, "r1") for key in "123456"]


RECEIVED = EventKind.MESSAGE_RECEIVED
ARRIVAL = Event(RECEIVED, BOX, 7, "1", labels=("INBOX",))


@pytest.mark.parametrize(
    ("event", "wanted"),
    [
        pytest.param(ARRIVAL, True, id="mail that arrived"),
        pytest.param(replace(ARRIVAL, key="batch"), False, id="a message that the batch decides on as well"),
        pytest.param(replace(ARRIVAL, key="pending"), False, id="one whose labels are about to change"),
        pytest.param(replace(ARRIVAL, history=0), False, id="what a listing brought up, and can wait"),
        pytest.param(replace(ARRIVAL, applied="digest"), False, id="what a person applies rules to"),
        pytest.param(replace(ARRIVAL, labels=("SENT",)), False, id="what went out from here"),
        pytest.param(replace(ARRIVAL, mailbox="other@acme.example"), False, id="what no rule hears"),
        pytest.param(
            replace(ARRIVAL, kind=EventKind.LABEL_ADDED, changed=("A",)), False, id="a change of labels"
        ),
    ],
)
async def test_arrivals_are_fetched_ahead_whose_labels_nothing_changes_meanwhile(
    world: World, event: Event, wanted: bool
) -> None:
    await world.rules(f"{{mailboxes: {BOX}, when: {{subject: hello}}, then: [label: A]}}")
    book = world.keeper.current()
    assert book is not None
    batch = [Queued("1-0", replace(ARRIVAL, key="batch"), 0)]
    pending = [LabelGroup(add=("A",), remove=(), keys=("pending",), runs={})]
    behind = [Queued("2-0", event, 0)]
    assert fetchable(behind, batch, pending, book.rules) == (behind if wanted else [])


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(Unavailable("not now"), id="a service that is down for a moment"),
        pytest.param(RateLimited("later", until=0), id="a limit that is reached"),
    ],
)
async def test_what_could_not_be_fetched_ahead_is_asked_for_again_in_its_turn(
    world: World, error: Exception
) -> None:
    await world.rules(LABEL_HELLO)
    for key in "12345":
        world.provider.deliver(key, mail("hello"))
    world.provider.failures["fetch 3"] = [error]
    await world.read_and_drain()
    assert await world.matched() == [(key, "r1") for key in "12345"]


@pytest.mark.parametrize("error", [MessageGone("gone"), Rejected("never")], ids=["gone", "refused"])
async def test_what_no_other_call_would_change_is_asked_for_once(world: World, error: Exception) -> None:
    await world.rules(LABEL_HELLO)
    for key in "12345":
        world.provider.deliver(key, mail("hello"))
    world.provider.failures["fetch 3"] = [error, AssertionError("asked again")]
    await world.read_and_drain()
    assert [key for key, rule in await world.matched() if rule == "r1"] == ["1", "2", "4", "5"]
    assert len(world.provider.failures["fetch 3"]) == 1


async def test_nothing_is_fetched_any_more_when_a_turn_has_failed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.rules(LABEL_HELLO)
    before = asyncio.all_tasks()
    never = asyncio.Event()

    async def broken() -> None:
        world.provider.meanwhile["fetch"] = never.wait
        await asyncio.sleep(0)
        raise ConnectionError("Redis is gone")

    before_each_commit(monkeypatch, broken)
    for key in "12345":
        world.provider.deliver(key, mail("hello"))
    with pytest.raises(ConnectionError):
        await world.read_and_drain()
    assert asyncio.all_tasks() == before
    assert await world.queued() == list("12345")


async def test_the_last_second_of_a_turn_is_not_for_what_comes_next(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.flow.drain.SLICE_MS", 1_000)
    await world.rules(LABEL_HELLO)
    known = fetched_before_each_commit(world, monkeypatch)
    for key in "1234":
        world.provider.deliver(key, mail("hello"))
    await world.read_and_drain()
    assert known == [2, 4]
