"""The doorbell: one round trip for all that ring in one turn of the loop, or while Redis is busy."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from engine.web.doorbell import Doorbell


class Redis:
    """Takes rings when it is let."""

    def __init__(self) -> None:
        self.rung: list[list[str]] = []
        self.open = asyncio.Event()
        self.error: Exception | None = None

    async def ring(self, mailboxes: Mapping[str, str]) -> None:
        self.rung.append(list(mailboxes))
        await self.open.wait()
        if self.error:
            raise self.error


async def turn() -> None:
    """Let everything that is ready run."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_rings_of_one_turn_share_a_round_trip_and_return_when_it_is_acknowledged() -> None:
    redis = Redis()
    bell = Doorbell(redis.ring)
    rings = [asyncio.create_task(bell.ring(mailbox)) for mailbox in ("a", "b", "a")]
    await turn()
    assert redis.rung == [["a", "b"]]
    assert not any(ring.done() for ring in rings)
    redis.open.set()
    await asyncio.gather(*rings)


async def test_a_ring_while_another_is_under_way_makes_its_own_round_trip() -> None:
    redis = Redis()
    bell = Doorbell(redis.ring)
    first = asyncio.create_task(bell.ring("a"))
    await turn()
    second = asyncio.create_task(bell.ring("a"))
    await turn()
    assert redis.rung == [["a"], ["a"]]
    redis.open.set()
    await asyncio.gather(first, second)


async def test_rings_while_enough_are_under_way_gather_for_the_next_one() -> None:
    redis = Redis()
    bell = Doorbell(redis.ring)
    rings = []
    for mailbox in "abcdc":
        rings.append(asyncio.create_task(bell.ring(mailbox)))
        await turn()
    assert redis.rung == [["a"], ["b"]]
    redis.open.set()
    await asyncio.gather(*rings)
    assert redis.rung == [["a"], ["b"], ["c", "d"]]


async def test_what_gathered_while_redis_failed_is_tried_all_the_same() -> None:
    redis = Redis()
    redis.error = ConnectionError("away")
    bell = Doorbell(redis.ring)
    rings = []
    for mailbox in "abc":
        rings.append(asyncio.create_task(bell.ring(mailbox)))
        await turn()
    redis.open.set()
    results = await asyncio.gather(*rings, return_exceptions=True)
    assert [type(result) for result in results] == [ConnectionError] * 3
    assert redis.rung == [["a"], ["b"], ["c"]]


async def test_everybody_who_rang_hears_that_it_failed() -> None:
    redis = Redis()
    redis.error = ConnectionError("away")
    redis.open.set()
    bell = Doorbell(redis.ring)
    results = await asyncio.gather(*(bell.ring(mailbox) for mailbox in "aab"), return_exceptions=True)
    assert [type(result) for result in results] == [ConnectionError] * 3
    redis.error = None
    await bell.ring("a")


async def test_one_who_gave_up_does_not_keep_the_others_from_their_answer() -> None:
    redis = Redis()
    bell = Doorbell(redis.ring)
    impatient, patient = (asyncio.create_task(bell.ring("a")) for _ in range(2))
    await turn()
    impatient.cancel()
    redis.open.set()
    await patient
    with pytest.raises(asyncio.CancelledError):
        await impatient
