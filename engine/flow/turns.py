"""Turns at an account's rate budget: the mailboxes that wait are served in rotation, one call each.

Each worker asks for one call at a time, so that workers share as well. Calls in the background have a
budget of their own beside the common one, and together they stand in the rotation as one mailbox.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial

from engine.errand import BACKGROUND
from engine.flow.ports import RateBudget

LONGEST_WAIT_S = 1.0
"""Nobody stands in line for longer: he is told to come again, and does something else meanwhile."""
MOST_IN_LINE = 16
"""Calls of one mailbox that stand in line; the others are told to come again, each at another time."""
LATEST_S = 60.0
FIRST_PACE_S = 0.05
BACKGROUND_SHARE = 0.25
"""How much of an account's budget goes to what can wait."""
_BACKGROUND = "(background)"


class Line:
    """Who waits for calls of one rate class."""

    def __init__(self, take: Callable[[], Awaitable[float]]) -> None:
        self._take = take
        self._waiting: dict[str, deque[asyncio.Future[float]]] = {}
        """By mailbox."""
        self._served: dict[str, int] = {}
        """By mailbox, how many calls had been handed out when it had its last one."""
        self._asking = False
        self._calls = 0
        self._serving: asyncio.Task[None] | None = None
        self._pace, self._granted = FIRST_PACE_S, 0.0
        """Seconds from call to call of late; when the last one was."""
        self._told: dict[str, float] = {}
        """By mailbox, when the last call that was sent away may come again."""

    async def wait(self, who: str) -> float:
        """Take one call; 0 when granted, else seconds until worth asking again."""
        first = not self._waiting and not self._asking
        if first:
            wait = await self._ask()
            if wait <= 0 or wait > LONGEST_WAIT_S:
                return wait
        places = self._waiting.setdefault(who, deque())
        if len(places) >= MOST_IN_LINE and not first:
            return self._later(who)
        place: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        places.insert(0 if first else len(places), place)
        if self._serving is None or self._serving.done():
            self._serving = asyncio.create_task(self._serve())
        try:
            async with asyncio.timeout(LONGEST_WAIT_S):
                return await place
        except TimeoutError:
            return self._later(who)

    async def _ask(self) -> float:
        """Ask alone: whoever comes meanwhile stands in line, as each refusal tells a later time."""
        self._asking = True
        try:
            return await self._take()
        finally:
            self._asking = False

    async def _serve(self) -> None:
        """Hand out calls until nobody waits."""
        try:
            while self._drop_gone():
                wait = await self._take()
                if wait > LONGEST_WAIT_S:
                    self._send_away(wait)
                elif wait > 0:
                    await asyncio.sleep(wait)
                elif (place := self._next()) is not None:
                    place.set_result(0.0)
                    self._keep_pace()
        except Exception as error:  # noqa: BLE001 - each of them asked, and each gets the answer
            self._fail(error)

    def _keep_pace(self) -> None:
        now = time.monotonic()
        self._pace += (min(now - self._granted, LONGEST_WAIT_S) - self._pace) / 10
        self._granted = now

    def _later(self, who: str) -> float:
        """When to come again: each a call later than the one before, so that they do not come all at once."""
        now = time.monotonic()
        self._told = {who: told for who, told in self._told.items() if told > now}
        self._told[who] = min(self._told.get(who, now) + self._pace, now + LATEST_S)
        return self._told[who] - now

    def _drop_gone(self) -> bool:
        """Forget who has left the line; whether anybody is left."""
        for who in list(self._waiting):
            places = self._waiting[who]
            while places and places[0].done():
                places.popleft()
            if not places:
                del self._waiting[who]
        return bool(self._waiting)

    def _next(self) -> asyncio.Future[float] | None:
        """The first call of the mailbox that was served longest ago.

        Not of the one that came first: who is sent away after a second would for ever come again behind
        those that were served meanwhile.
        """
        if not self._drop_gone():
            return None
        who = min(self._waiting, key=lambda one: self._served.get(one, 0))
        self._calls += 1
        self._served[who] = self._calls
        place = self._waiting[who].popleft()
        if not self._waiting[who]:
            del self._waiting[who]
        return place

    def _send_away(self, wait: float) -> None:
        for place in self._empty():
            place.set_result(wait)

    def _fail(self, error: Exception) -> None:
        for place in self._empty():
            place.set_exception(error)

    def _empty(self) -> list[asyncio.Future[float]]:
        waiting, self._waiting = self._waiting, {}
        return [place for places in waiting.values() for place in places if not place.done()]


class FairBudget:
    """A RateBudget that nobody has to himself; `background` limits the calls that can wait."""

    def __init__(self, common: RateBudget, background: RateBudget) -> None:
        self._common, self._background = common, background
        self._lines: dict[tuple[str, bool], Line] = {}

    async def take(self, rate_class: str, who: str = "") -> float:
        return await self._line(rate_class, BACKGROUND.get()).wait(who)

    async def pause(self, rate_class: str, until: float) -> None:
        await self._common.pause(rate_class, until)

    def _line(self, rate_class: str, background: bool) -> Line:
        key = (rate_class, background)
        if key not in self._lines:
            take = self._in_background if background else self._common.take
            self._lines[key] = Line(partial(take, rate_class))
        return self._lines[key]

    async def _in_background(self, rate_class: str) -> float:
        return await self._background.take(rate_class) or await self._line(rate_class, False).wait(
            _BACKGROUND
        )
