"""Commands over a real Redis and a mail service in memory."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from redis.asyncio import Redis

from engine.cli.main import main
from engine.store.base import Base
from engine.wiring import Office
from tests.flow.conftest import World
from tests.flow.fakes import BOX, Clock, FakeProvider

SECRET = "client-" + "s3cret"


@dataclass
class Console:
    """A configured Postroom at whose prompt a test sits."""

    world: World
    config: Path

    async def call(self, *args: str) -> Result:
        """Call a command; in a thread, since each runs a loop of its own."""
        words = [*args, "--config", str(self.config)]
        return await asyncio.to_thread(CliRunner().invoke, main, words)


@pytest.fixture
async def console(redis: Redis, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Console:
    clock = Clock()
    world = World(Base(redis), clock, FakeProvider(clock))
    await world.start()
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("ZOOM_SECRET", SECRET)
    monkeypatch.setattr(Office, "provider", lambda _office, _mailbox: world.provider)
    config = tmp_path / "postroom.yaml"
    config.write_text(
        "redis: {url: env:REDIS_URL}\nretention: 36500d\n"
        "accounts: {acme: {provider: zoom, account_id: A, client_id: C, client_secret: env:ZOOM_SECRET}}\n"
        f"mailboxes: {{{BOX}: {{account: acme}}}}\n"
    )
    return Console(world, config)
