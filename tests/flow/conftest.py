"""A whole flow over a real Redis and a mail service in memory, driven by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from redis.asyncio import Redis

from engine.flow.drain import drain
from engine.flow.execute import Executing, execute
from engine.flow.keeper import Keeper
from engine.flow.poll import Polling, poll
from engine.flow.prepare import Draining
from engine.flow.recorded import Recorded
from engine.flow.rulebook import Sources
from engine.flow.scheduling import Scheduling
from engine.mail.events import Event
from engine.rules.budgets import DEFAULTS, Budgets
from engine.services.folders import LocalFolders
from engine.services.http import Endpoint, HttpEndpoints
from engine.store.approvals import RedisApprovals
from engine.store.base import Base
from engine.store.blobs import RedisBlobs
from engine.store.drafts import RedisDrafts
from engine.store.gate import RedisGate
from engine.store.journal import RedisJournal
from engine.store.lanes import RedisLanes
from engine.store.mailboxes import RedisMailboxes
from engine.store.schedules import RedisSchedules
from engine.store.summaries import RedisSummaries
from engine.store.suppression import RedisSuppressions
from engine.store.waking import Waking
from tests.flow.fakes import BOX, Clock, FakeProvider

TEMPLATES = {"hi.md": "---\nsubject: Thank you\n---\nHello.\n"}
DAY_MS = 86_400_000
RETENTION_MS = 30 * DAY_MS
TALKATIVE = replace(DEFAULTS, exchanges=())
"""Tests write as one correspondent as often as they like."""


@dataclass
class World:
    """Redis, the service and the clock, with the use cases over them."""

    base: Base
    clock: Clock
    provider: FakeProvider
    sources: Sources = field(default_factory=lambda: Sources({}, TEMPLATES))
    problems: list[str] = field(default_factory=list)
    timeout: int = 2_000
    margin: int = 60_000
    folders: dict[str, Path] = field(default_factory=dict)
    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    budgets: Budgets = TALKATIVE

    def __post_init__(self) -> None:
        self.calling = HttpEndpoints(self.endpoints)
        self.lanes, self.mailboxes = RedisLanes(self.base), RedisMailboxes(self.base)
        self.journal, self.waking = RedisJournal(self.base), Waking(self.base)
        self.keeper = Keeper(
            RedisBlobs(self.base), lambda: self.sources, lambda _: list(self.problems), self.clock
        )
        self.draining = Draining(self.lanes, self.mailboxes, self.keeper, RedisDrafts(self.base), self.clock)
        self.scheduling = Scheduling(RedisSchedules(self.base), self.keeper, [BOX])
        self.polling = Polling(self.mailboxes, RETENTION_MS, self.clock)

    async def rules(self, *rules: str, templates: dict[str, str] | None = None) -> None:
        """Put rules in force, each in one line of YAML flow style; the id may be left out."""
        lines = [
            rule if "id:" in rule else rule.replace("{", f"{{id: r{n}, ", 1)
            for n, rule in enumerate(rules, 1)
        ]
        text = "version: 1\nrules:\n" + "".join(f"  - {line}\n" for line in lines)
        self.sources = Sources({"rules.yaml": text}, templates or self.sources.templates)
        await self.keeper.reload()
        await self.keeper.reload()
        assert self.keeper.current() is not None

    async def start(self) -> None:
        """Take the mailbox into service."""
        await self.poll()

    async def poll(self) -> int | None:
        return await poll(self.polling, self.provider, BOX)

    async def drain(self) -> int | None:
        return await drain(self.draining, self.provider, BOX)

    async def read_and_drain(self) -> int | None:
        """Read the history and decide; a tick of the clock lies before it."""
        self.clock.forward(1_000)
        assert await self.poll() is None
        return await self.drain()

    @property
    def executing(self) -> Executing:
        return Executing(
            self.journal,
            self.mailboxes,
            self.keeper,
            lambda _: self.provider,
            LocalFolders(self.folders),
            self.calling,
            RedisApprovals(self.base),
            RedisDrafts(self.base),
            RedisSummaries(self.base),
            RedisGate(self.base),
            RedisSuppressions(self.base),
            timeout=self.timeout,
            margin=self.margin,
            clock=self.clock,
            budgets=self.budgets,
        )

    async def execute(self, run: str) -> int | None:
        return await execute(self.executing, run)

    async def execute_all(self) -> None:
        """Carry out every open run, once."""
        for recorded in await self.runs():
            if recorded.state == "open":
                await self.execute(recorded.run.id)

    async def runs(self) -> list[Recorded]:
        """Every run, oldest first."""
        ids = await self.journal.newest(1_000)
        found = [recorded for run in ids if (recorded := await self.journal.get(run))]
        return sorted(found, key=lambda one: (one.run.created, one.run.key, one.run.rule))

    async def run(self) -> Recorded:
        """The only run."""
        (only,) = await self.runs()
        return only

    async def matched(self) -> list[tuple[str, str]]:
        """(message, rule) of every run."""
        return sorted((one.run.key, one.run.rule) for one in await self.runs())

    async def queued(self) -> list[str]:
        """Keys of what still waits in the lane."""
        entries = await self.base.redis.xrange(self.base.key("events", BOX))
        return [Event.from_json(fields["event"]).key for _, fields in entries]

    async def waiting(self) -> int:
        return int(await self.base.redis.hlen(self.base.key("waiting", BOX)))


@pytest.fixture
async def world(redis: Redis) -> AsyncIterator[World]:
    """A mailbox in service, with no mail yet."""
    clock = Clock()
    made = World(Base(redis), clock, FakeProvider(clock))
    await made.start()
    yield made
    await made.calling.aclose()
