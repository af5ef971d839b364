"""Questions that come together are answered together, each by what is read after it was asked."""

from __future__ import annotations

import asyncio
import time

from engine.deadline import DEADLINE, check_deadline
from engine.errors import Unavailable
from engine.providers.rounds import Rounds

BOX, OTHER = "a@x.example", "b@x.example"


class Reading:
    """Reads one round after the other, each when it is let; notes who asked."""

    def __init__(self) -> None:
        self.begun: list[tuple[str, list[str]]] = []
        self.ended = 0
        self.go_on = asyncio.Semaphore(0)
        self.rounds = Rounds(self.read)

    async def read(self, mailbox: str, questions: list[str]) -> int:
        self.begun.append((mailbox, list(questions)))
        number = len(self.begun)
        try:
            await self.go_on.acquire()
            check_deadline()
        finally:
            self.ended += 1
        return number

    def ask(self, question: str, mailbox: str = BOX) -> asyncio.Task[int]:
        return asyncio.create_task(self.rounds.ask(mailbox, question))


async def turns(count: int = 5) -> None:
    """Let all that can go on go on."""
    for _ in range(count):
        await asyncio.sleep(0)


async def test_who_asks_during_a_round_is_answered_with_the_others_by_the_next() -> None:
    reading = Reading()
    first = [reading.ask("a"), reading.ask("b")]
    await turns()
    late = [reading.ask("c"), reading.ask("d")]
    await turns()
    assert reading.begun == [(BOX, ["a", "b"])]
    reading.go_on.release()
    assert await asyncio.gather(*first) == [1, 1]
    reading.go_on.release()
    assert await asyncio.gather(*late) == [2, 2]
    assert reading.begun[1:] == [(BOX, ["c", "d"])]


async def test_mailboxes_do_not_wait_for_each_other() -> None:
    reading = Reading()
    asked = [reading.ask("a"), reading.ask("b", OTHER)]
    await turns()
    assert reading.begun == [(BOX, ["a"]), (OTHER, ["b"])]
    reading.go_on.release()
    reading.go_on.release()
    await asyncio.gather(*asked)


async def test_who_leaves_takes_nobody_along() -> None:
    reading = Reading()
    left, stays = reading.ask("a"), reading.ask("b")
    await turns()
    left.cancel()
    await turns()
    reading.go_on.release()
    assert await stays == 1


async def test_a_round_that_nobody_waits_for_is_given_up() -> None:
    reading = Reading()
    gone = reading.ask("a")
    await turns()
    late = reading.ask("b")
    await turns()
    gone.cancel()
    await turns()
    assert reading.begun == [(BOX, ["a"]), (BOX, ["b"])]
    assert reading.ended == 1
    reading.go_on.release()
    assert await late == 2


async def test_who_asks_as_the_last_one_leaves_has_a_round_of_his_own() -> None:
    reading = Reading()
    busy = reading.ask("a")
    await turns()
    waiting = reading.ask("b")
    await turns()
    waiting.cancel()
    await asyncio.sleep(0)
    other = reading.ask("c")
    await turns()
    reading.go_on.release()
    reading.go_on.release()
    assert await busy == 1
    assert await other == 2
    assert reading.begun[1:] == [(BOX, ["c"])]


async def test_an_error_is_everybodys() -> None:
    async def fail(_mailbox: str, _questions: list[str]) -> None:
        raise Unavailable("gone")

    rounds = Rounds(fail)
    answers = await asyncio.gather(rounds.ask(BOX, "a"), rounds.ask(BOX, "b"), return_exceptions=True)
    assert [str(one) for one in answers] == ["gone", "gone"]


async def test_the_deadline_of_the_first_is_not_that_of_the_others() -> None:
    reading = Reading()
    token = DEADLINE.set(time.time() - 1)
    first = reading.ask("a")
    DEADLINE.reset(token)
    second = reading.ask("b")
    await turns()
    reading.go_on.release()
    assert [await first, await second] == [1, 1]
