"""Simulated days of mail through the real flow: a clock that jumps, a real Redis, the sandbox in process.

What Redis forgets by its own clock (`once_per`, memory of rules) it keeps: that clock is the real one.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import httpx

from engine.flow.drain import drain
from engine.flow.execute import execute
from engine.flow.poll import poll
from engine.flow.ports import Provider
from engine.mail.address import parse_addresses
from engine.mail.headers import parse_headers
from engine.sandbox.app import create_app
from engine.sandbox.config import SandboxConfig
from engine.store.clock import ServerClock
from engine.wiring import Office
from prove.correspondents import SECOND_MS, Got, Said, answers
from tests.providers.benches import URL, make_provider
from tests.providers.fakes import MemoryTokens

TOGETHER_MS = 20 * SECOND_MS
"""What arrives so close together is read in one poll."""


@dataclass
class SimulatedClock(ServerClock):
    """Epoch milliseconds that a simulation sets."""

    now: int

    def __call__(self) -> int:
        return self.now

    async def sync(self) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Sent:
    """One automatic mail of ours, as one recipient gets it."""

    at: int
    mailbox: str
    to: str


Chain = Mapping[str, int]
"""How many exchanges between machines lie behind a mail without a break, by correspondent (their domain)."""
NEW: Chain = {}


@dataclass(order=True, slots=True)
class _Coming:
    at: int
    number: int
    said: Said = field(compare=False)
    behind: Chain = field(compare=False)


class Watched:
    """A mail service whose sends are seen."""

    def __init__(self, provider: Provider, seen: Callable[[str, bytes], Awaitable[None]]) -> None:
        self._provider, self._seen = provider, seen

    def __getattr__(self, name: str) -> Any:
        return getattr(self._provider, name)

    async def send(self, mailbox: str, raw: bytes, *at: Any) -> str:
        key = await self._provider.send(mailbox, raw, *at)
        await self._seen(mailbox, raw)
        return key


class Clockwork:
    """Our mailboxes, their correspondents, and what is under way between them."""

    def __init__(self, office: Office, chance: random.Random) -> None:
        self.office, self.chance = office, chance
        self.clock = SimulatedClock(int(office.clock()))
        office.clock = self.clock
        self.ours = tuple(office.settings.mailboxes)
        app = create_app(SandboxConfig(mailboxes=self.ours, limits=False))
        app.state.sandbox.store.clock = lambda: self.clock.now / 1000
        self._control = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=URL)
        provider = cast(Provider, Watched(make_provider(app, MemoryTokens()), self._seen))
        for account in office.settings.accounts:
            office._providers[account] = provider
        self.sent: list[Sent] = []
        self.delivered = 0
        self.longest: Chain = {}
        """Of all chains, the most exchanges with each correspondent."""
        self._coming: list[_Coming] = []
        self._numbers = itertools.count(1)
        self._behind: dict[str, Chain] = {}
        """By key of the message; what is not here begins a chain."""

    async def start(self) -> None:
        """Put rules in force and the mailboxes into service."""
        await self.office.keeper.reload()
        await self.office.keeper.reload()
        assert self.office.keeper.current(), "the rules do not load"
        await self._work()

    def expect(self, said: Said, behind: Chain = NEW) -> None:
        """Let a mail come in its time."""
        number = next(self._numbers)
        heapq.heappush(self._coming, _Coming(self.clock.now + said.after, number, said, behind))

    async def run(self, until: int) -> None:
        """Let everything happen that happens before this time (epoch ms)."""
        while (at := await self._next()) <= until:
            self.clock.now = max(self.clock.now, at)
            while self._coming and self._coming[0].at <= self.clock.now + TOGETHER_MS:
                await self._deliver(heapq.heappop(self._coming))
            self.clock.now += TOGETHER_MS
            await self._work()
        self.clock.now = max(self.clock.now, until)
        await self.office.waking.trim(self.clock.now, self.office.retention_ms)

    async def aclose(self) -> None:
        await self._control.aclose()

    async def _next(self) -> int:
        """When something happens next."""
        times = [coming.at for coming in self._coming[:1]]
        redis, key = self.office.base.redis, self.office.base.key
        times += [int(at) for _, at in await redis.zrange(key("due"), 0, 0, withscores=True)]
        return min(times, default=1 << 62)

    async def _deliver(self, coming: _Coming) -> None:
        said = coming.said
        raw = said.raw(f"<{coming.number}@{said.sender.partition('@')[2]}>")
        answer = await self._control.post("/_sandbox/deliver", content=raw, params={"mailbox": said.to})
        assert answer.status_code == 200, answer.text
        self._behind[answer.json()["id"]] = coming.behind
        self.delivered += 1

    async def _work(self) -> None:
        """Poll, decide and carry out until nothing is left to do now."""
        office, redis, key = self.office, self.office.base.redis, self.office.base.key
        while True:
            for mailbox in self.ours:
                provider = office.provider(mailbox)
                await poll(office.polling, provider, mailbox)
                await drain(office.draining, provider, mailbox)
            due = await redis.zrangebyscore(key("due"), "-inf", self.clock.now)
            if not due:
                return
            for run in due:
                await execute(office.executing, run)
            self.clock.now += SECOND_MS

    async def _seen(self, mailbox: str, raw: bytes) -> None:
        """Bring a mail of ours to those it is for, and see what they say."""
        headers = parse_headers(raw)
        own_id = headers.text("Message-ID").strip()
        recorded = await self.office.journal.get(own_id[1:].partition(".")[0])
        assert recorded is not None, f"nobody knows {own_id}"
        behind = self._behind.get(recorded.run.key, NEW)
        for person in parse_addresses([*headers.all("To"), *headers.all("Cc")]):
            self.sent.append(Sent(self.clock.now, mailbox, person.normal))
            got = Got(mailbox, person.normal, headers.text("Subject"), own_id)
            for said in answers(got, self.chance):
                self.expect(said, NEW if said.by_hand else self._one_more(behind, person.domain))

    def _one_more(self, behind: Chain, who: str) -> Chain:
        count = behind.get(who, 0) + 1
        self.longest = {**self.longest, who: max(count, self.longest.get(who, 0))}
        return {**behind, who: count}
