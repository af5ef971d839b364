"""What one bounce changes is written once, with the receipt of the step that read it."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest
from redis.asyncio import Redis

from engine.flow.stores import Claim, Commit, Settled
from engine.flow.suppression import SOFT_WINDOW_MS, Bounced, Suppressed
from engine.store.base import Base
from engine.store.journal import RedisJournal
from engine.store.lanes import RedisLanes
from engine.store.suppression import RedisSuppressions
from tests.store.test_lanes import BOX, fill, run

ANN, BEN = "ann@x.example", "ben@x.example"
WHY = Suppressed(since=1_000, why="no such mailbox", status="5.1.1", run="r")


@dataclass
class Reading:
    """A claimed step that reads a bounce."""

    suppressions: RedisSuppressions
    journal: RedisJournal
    claim: Claim

    async def settle(self, bounced: Bounced, now: int = 1_000) -> None:
        settled = Settled(self.claim.run.id, 0, {"outcome": "done"})
        await self.suppressions.settle(settled, bounced, now, self.claim)

    async def suppressed(self) -> dict[str, Suppressed]:
        return {address: known async for address, known in self.suppressions.all()}


@pytest.fixture
async def reading(redis: Redis) -> Reading:
    base, planned = Base(redis), run("1", labels=False, send=True)
    await fill(base, "1")
    lanes, journal = RedisLanes(base), RedisJournal(base)
    async with lanes.lease(BOX) as lease:
        assert lease is not None
        done = tuple(await lanes.read(BOX, 9, now=20))
        await lanes.commit(BOX, lease, Commit(done, runs=(planned,)), now=30)
    claim = await journal.claim(planned.id, 900, 950, 100)
    assert isinstance(claim, Claim)
    return Reading(RedisSuppressions(base), journal, claim)


async def test_addresses_and_receipt_are_written_together(reading: Reading) -> None:
    await reading.settle(Bounced({ANN: WHY}, (BEN,)))
    assert await reading.suppressed() == {ANN: WHY}
    assert await reading.suppressions.soft([ANN, BEN], 1_000) == {ANN: 0, BEN: 1}
    recorded = await reading.journal.get(reading.claim.run.id)
    assert recorded is not None
    assert (recorded.state, recorded.receipts[0]["outcome"]) == ("done", "done")


async def test_what_a_run_suppressed_is_taken_back_and_nothing_else(reading: Reading) -> None:
    await reading.suppressions.add(BEN, Suppressed(since=1, why="asked us to stop"))
    await reading.settle(Bounced({ANN: WHY, BEN: WHY}))
    assert await reading.suppressions.lift("r", acts=False) == [ANN]
    assert await reading.suppressions.lift("r", acts=True) == [ANN]
    assert set(await reading.suppressed()) == {BEN}


async def test_a_step_that_is_settled_changes_nothing_more(reading: Reading) -> None:
    await reading.settle(Bounced())
    await reading.settle(Bounced({ANN: WHY}, (BEN,)))
    assert await reading.suppressed() == {}
    assert await reading.suppressions.soft([BEN], 1_000) == {BEN: 0}


async def test_who_is_suppressed_already_stays_so_for_the_first_reason(reading: Reading) -> None:
    person = Suppressed(since=1, why="asked us to stop")
    assert await reading.suppressions.add(ANN, person)
    assert not await reading.suppressions.add(ANN, WHY)
    await reading.settle(Bounced({ANN: WHY}))
    assert await reading.suppressed() == {ANN: person}


async def test_soft_bounces_are_forgotten_after_their_window_and_when_an_address_is_freed(
    reading: Reading,
) -> None:
    await reading.settle(Bounced(soft=(BEN,)), now=1_000)
    assert await reading.suppressions.soft([BEN], 1_000 + SOFT_WINDOW_MS) == {BEN: 1}
    assert await reading.suppressions.soft([BEN], 1_001 + SOFT_WINDOW_MS) == {BEN: 0}
    await reading.suppressions.add(BEN, WHY)
    assert await reading.suppressions.remove(BEN)
    assert not await reading.suppressions.remove(BEN)
    assert await reading.suppressions.soft([BEN], 1_000) == {BEN: 0}


async def test_what_a_newer_version_wrote_is_read(reading: Reading, redis: Redis) -> None:
    text = json.dumps(WHY.model_dump() | {"until": 7})
    await redis.hset(Base(redis).key("suppressed"), ANN, text)  # type: ignore[misc]
    assert await reading.suppressed() == {ANN: WHY}
