"""A batch is judged in rows: nobody else waits for long, and nothing of it outlives it."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Sequence
from typing import Any

import pytest

from engine.ending import end
from engine.flow import judging
from engine.flow.hydrate import TOGETHER, Hydrator
from engine.flow.stores import Tried
from engine.rules.evaluate import evaluate
from engine.store.lanes import RedisLanes
from tests.flow.conftest import World
from tests.flow.fakes import BOX, mail

LABEL_HELLO = "{when: {subject: hello}, then: [label: A]}"
LABEL_PDF = "{when: {attachment: {type: pdf}}, then: [label: Pdf]}"
ATTACHED = (
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
    b"Content-Disposition: attachment; filename=a\r\n\r\n%PDF-1.7\r\n--b--\r\n"
)


def deliver(world: World, count: int, raw: bytes) -> None:
    for number in range(count):
        world.provider.deliver(str(number), raw)


def hydrators() -> int:
    return sum(isinstance(one, Hydrator) for one in gc.get_objects())


@pytest.mark.parametrize("count", [1, TOGETHER - 1, TOGETHER, 3 * TOGETHER + 1])
async def test_each_message_of_a_batch_is_judged_however_many_there_are(world: World, count: int) -> None:
    await world.rules(LABEL_HELLO)
    deliver(world, count, mail("hello"))
    assert await world.read_and_drain() is None
    assert len(await world.matched()) == count


async def test_others_have_a_turn_while_many_messages_are_judged(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns, seen = 0, list[int]()

    async def neighbour() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    def judge(*args: Any, **options: Any) -> Any:
        seen.append(turns)
        return evaluate(*args, **options)

    monkeypatch.setattr("engine.flow.hydrate.LONGEST_S", -1.0)
    monkeypatch.setattr(judging, "evaluate", judge)
    await world.rules(LABEL_HELLO)
    deliver(world, TOGETHER, mail("hello"))
    task = asyncio.create_task(neighbour())
    try:
        await world.read_and_drain()
    finally:
        await end(task)
    assert len(seen) == len(set(seen)) == TOGETHER


async def test_nothing_of_a_batch_outlives_it(world: World) -> None:
    await world.rules(LABEL_PDF)
    deliver(world, 3, ATTACHED)
    gc.collect()
    gc.disable()
    before = hydrators()
    try:
        await world.read_and_drain()
        alive = hydrators()
    finally:
        gc.enable()
    assert {key: len(needs) for key, needs in world.provider.fetched.items()} == dict.fromkeys("012", 2)
    assert len(await world.matched()) == 3
    assert alive == before


async def test_answers_that_come_while_another_is_written_down_are_written_together(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle, written = RedisLanes.settle_groups, list[int]()

    async def settling(self: RedisLanes, lane: str, lease: Any, tried: Sequence[Tried], now: int) -> None:
        written.append(len(tried))
        await settle(self, lane, lease, tried, now)

    monkeypatch.setattr(RedisLanes, "settle_groups", settling)
    await world.rules(*(f"{{when: {{subject: {name}}}, then: [label: {name}]}}" for name in "abc"))
    for name in "abc":
        world.provider.deliver(name, mail(name))
    await world.read_and_drain()
    assert sorted(written) == [1, 2]
    assert {one.state for one in await world.runs()} == {"done"}
    assert await world.lanes.groups(BOX) == []
