"""Turns at a rate budget: rotation among mailboxes, a share for what can wait, an end to waiting."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field

import pytest

from engine.errand import in_background
from engine.flow.turns import LONGEST_WAIT_S, MOST_IN_LINE, FairBudget
from tests.waiting import wait_for


@dataclass
class Tap:
    """A budget that grants one call for each drop that a test lets through."""

    drops: asyncio.Queue[float] = field(default_factory=asyncio.Queue)
    asked: int = 0

    async def take(self, rate_class: str, who: str = "") -> float:
        self.asked += 1
        return await self.drops.get()

    async def pause(self, rate_class: str, until: float) -> None:
        raise NotImplementedError


class Free(Tap):
    """A budget that grants everything."""

    async def take(self, rate_class: str, who: str = "") -> float:
        self.asked += 1
        return 0.0


async def settle() -> None:
    """Let every task come to where it waits."""
    for _ in range(20):
        await asyncio.sleep(0)


class Queue:
    """Mailboxes at one budget, and the order in which they are served."""

    def __init__(self, budget: FairBudget) -> None:
        self.budget, self.served = budget, list[str]()
        self.tasks: list[asyncio.Task[None]] = []

    def join(self, who: str, calls: int, *, background: bool = False) -> None:
        for _ in range(calls):
            self.tasks.append(asyncio.create_task(self._one(who, background)))

    async def _one(self, who: str, background: bool) -> None:
        if background:
            with in_background():
                wait = await self.budget.take("LIGHT", who)
        else:
            wait = await self.budget.take("LIGHT", who)
        if wait == 0:
            self.served.append(who)

    async def leave(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


async def refuse(tap: Tap) -> None:
    """Refuse the call that is asked for, and wait until the line asks again."""
    asked = tap.asked
    tap.drops.put_nowait(0.001)
    await wait_for(lambda: tap.asked > asked, every=0.001, what="the line to ask again")


async def test_a_huge_mailbox_and_small_ones_are_served_in_rotation() -> None:
    tap = Tap()
    queue = Queue(FairBudget(tap, Free()))
    queue.join("first", 1)
    await settle()
    await refuse(tap)  # So that a line forms.
    queue.join("huge", 50)
    await settle()
    queue.join("small", 2)
    queue.join("other", 2)
    await settle()
    for _ in range(8):
        tap.drops.put_nowait(0.0)
        await settle()
    # The pump already waits for the drop of whoever is next.
    assert Counter(queue.served[:7]) == {"first": 1, "huge": 2, "small": 2, "other": 2}
    await queue.leave()


async def test_one_asks_for_all_who_come_at_once() -> None:
    """Each refusal tells a later time than the one before: sixteen askers would wait for the last."""
    tap = Tap()
    queue = Queue(FairBudget(tap, Free()))
    queue.join("huge", 10)
    await settle()
    assert tap.asked <= 2, "the first, and the line behind him"
    for _ in range(12):
        tap.drops.put_nowait(0.0)
        await settle()
    assert queue.served == ["huge"] * 10
    await queue.leave()


async def test_a_crowd_of_one_mailbox_does_not_stand_in_line() -> None:
    tap = Tap()
    budget = FairBudget(tap, Free())
    asking = [asyncio.create_task(budget.take("LIGHT", "huge")) for _ in range(200)]
    await settle()
    for _ in asking:
        tap.drops.put_nowait(0.001)
    await settle()
    told = [task.result() for task in asking if task.done()]
    assert len(told) == 200 - MOST_IN_LINE - 1, "the first of them asks, and so many stand behind him"
    assert told == sorted(told)
    assert told[-1] > LONGEST_WAIT_S
    tap.drops = asyncio.Queue()
    for task in asking:
        task.cancel()
    await asyncio.gather(*asking, return_exceptions=True)


async def test_nobody_stands_in_line_for_longer_than_a_second() -> None:
    tap = Tap()
    budget = FairBudget(tap, Free())
    tap.drops.put_nowait(0.001)
    wait = await asyncio.wait_for(budget.take("LIGHT", "a"), 3 * LONGEST_WAIT_S)
    assert 0 < wait <= LONGEST_WAIT_S


async def test_all_who_wait_are_told_of_a_long_pause() -> None:
    tap = Tap()
    budget = FairBudget(tap, Free())
    waits = [asyncio.create_task(budget.take("LIGHT", who)) for who in "abc"]
    await settle()
    for answer in (0.001, 0.001, 0.001, 3600.0):
        tap.drops.put_nowait(answer)
    assert await asyncio.gather(*waits) == [3600.0] * 3


async def test_an_error_reaches_everybody_and_the_next_one_asks_anew() -> None:
    class Broken(Tap):
        async def take(self, rate_class: str, who: str = "") -> float:
            self.asked += 1
            if self.asked == 1:
                return 0.001
            if self.asked == 2:
                raise OSError("Redis went away")
            return 0.0

    budget = FairBudget(Broken(), Free())
    with pytest.raises(OSError, match="Redis went away"):
        await budget.take("LIGHT", "a")
    assert await budget.take("LIGHT", "a") == 0.0


async def test_who_gave_up_costs_nobody_a_turn() -> None:
    tap = Tap()
    queue = Queue(FairBudget(tap, Free()))
    queue.join("gone", 3)
    await settle()
    tap.drops.put_nowait(0.001)  # For the first of them; the others stand in line by now.
    for _ in range(2):
        await refuse(tap)
    await queue.leave()
    queue.join("here", 1)
    tap.drops.put_nowait(0.0)
    await wait_for(lambda: bool(queue.served), what="a turn for who came later")
    assert queue.served == ["here"]


async def test_what_can_wait_has_a_budget_of_its_own_beside_the_common_one() -> None:
    common, background = Free(), Tap()
    queue = Queue(FairBudget(common, background))
    queue.join("backfill", 5, background=True)
    queue.join("live", 5)
    await settle()
    assert queue.served == ["live"] * 5
    background.drops.put_nowait(0.0)
    background.drops.put_nowait(0.0)
    await settle()
    assert queue.served == ["live"] * 5 + ["backfill"] * 2
    assert common.asked == 7
    await queue.leave()


async def test_who_was_sent_away_comes_again_before_those_served_meanwhile() -> None:
    tap = Tap()
    queue = Queue(FairBudget(tap, Free()))
    queue.join("lucky", 1)
    await settle()
    await refuse(tap)
    queue.join("sent away", 1)
    await settle()
    tap.drops.put_nowait(0.0)
    await settle()
    queue.join("lucky", 1)
    queue.tasks[1].cancel()
    await refuse(tap)
    queue.join("sent away", 1)
    await settle()
    tap.drops.put_nowait(0.0)
    await settle()
    assert queue.served == ["lucky", "sent away"]
    await queue.leave()
