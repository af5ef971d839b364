"""Coming back over real processes: after an absence, after a lost history, after a backup was restored."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from engine.cli.main import main
from engine.cli.stage import Stage
from engine.sandbox.samples import sample_messages
from engine.settings import load_settings
from engine.store.backup import back_up, restore
from engine.store.halt import read_halt
from engine.store.presence import at_work
from engine.store.server import find_server
from engine.wiring import Office, open_office
from tests.e2e.playing import POLLING, WEBHOOKS, compare, deliver, play, settled, staged_play
from tests.store.servers import Server
from tests.waiting import wait_for

pytestmark = pytest.mark.e2e

AGAIN = ("--retry-delays", ",".join(["0.3"] * 60))
IDLE = [sys.executable, "-c", "import signal; signal.pause()"]
PACE_S = 0.03
PATIENCE_S = 120


class Parked:
    """Processes that are stopped, and do not come back before we let them."""

    def __init__(self, stage: Stage, office: Office, names: Sequence[str]) -> None:
        self._children = {name: stage.children[name] for name in names}
        self._commands = {name: child.command for name, child in self._children.items()}
        self._base = office.base

    async def __aenter__(self) -> None:
        for child in self._children.values():
            child.command = IDLE
        self._end_all()
        roles = tuple({name.rstrip("0123456789") for name in self._children})
        await wait_for(lambda: self._gone(roles), seconds=40, what=f"no {roles} at work")

    async def __aexit__(self, *_: object) -> None:
        for name, child in self._children.items():
            child.command = self._commands[name]
        self._end_all()

    def _end_all(self) -> None:
        for child in self._children.values():
            if child.process and child.process.returncode is None:
                child.process.send_signal(signal.SIGTERM)

    async def _gone(self, roles: tuple[str, ...]) -> bool:
        return not await at_work(self._base, roles)


async def state(stage: Stage, mailbox: str) -> dict[str, Any]:
    found = await stage.control("GET", "state", params={"mailbox": mailbox})
    return {message["id"]: message["labels"] for message in found["messages"]}


async def test_history_and_tokens_are_gone_when_we_come_back(tmp_path: Path) -> None:
    mail = [raw for _, raw in sample_messages()]
    (tmp_path / "older.eml").write_bytes(mail[0])
    older = ("--load", str(tmp_path / "older.eml"), "--into", WEBHOOKS)
    async with staged_play(play(sandbox=(*AGAIN, *older)), tmp_path) as (stage, office):
        before = await state(stage, WEBHOOKS)
        assert len(before) == 1
        outcome = await deliver(stage, office, mail[:20])
        await settled(stage, office, outcome, PATIENCE_S)
        async with Parked(stage, office, ["worker1"]):
            await deliver(stage, office, mail[20:60], outcome)
            for mailbox in (WEBHOOKS, POLLING):
                await stage.control("POST", "expire-history", json={"mailbox": mailbox})
            await stage.control("POST", "revoke-tokens")
        await settled(stage, office, outcome, PATIENCE_S)
        await compare(stage, office, outcome)
        assert before.items() <= (await state(stage, WEBHOOKS)).items(), "older mail is left alone"
        assert await office.journal.newest(9, dead=True) == []


async def test_back_to_a_backup_and_on_without_doing_anything_twice(tmp_path: Path) -> None:
    """The backup is made in full work; all that was done after it is forgotten, and more mail comes."""
    mail = [raw for _, raw in sample_messages()]
    config, file = str(tmp_path / "postroom.yaml"), tmp_path / "backup.gz"
    rolling = play(workers=2, sandbox=AGAIN)
    async with staged_play(rolling, tmp_path) as (stage, office):
        outcome = await deliver(stage, office, mail[:10])
        streaming = asyncio.create_task(
            deliver(stage, office, mail[10:60], outcome, lambda _: asyncio.sleep(PACE_S))
        )
        await wait_for(lambda: outcome.count > 30, seconds=30, what="half of the mail")
        await back_up(office.base, file, lambda _: None)
        await streaming
        await settled(stage, office, outcome, PATIENCE_S)
        sent = len((await stage.control("GET", "outbox"))["messages"])

        async with Parked(stage, office, ["web", "worker1", "worker2"]):
            await restore(office.base, file, office.clock(), lambda _: None, replace=True)
        await deliver(stage, office, mail[60:80], outcome)
        await wait_for(lambda: all_queued(office, mail[60:80]), seconds=60, what="the new mail in its lanes")
        assert len((await stage.control("GET", "outbox"))["messages"]) == sent
        assert await read_halt(office.base) is not None

        recovered = await asyncio.to_thread(CliRunner().invoke, main, ["recover", "--config", config])
        assert recovered.exit_code == 0, recovered.output
        await settled(stage, office, outcome, PATIENCE_S)
        await compare(stage, office, outcome, forgetful=True)
        assert await office.journal.newest(9, dead=True) == []


async def test_a_failover_that_loses_writes(tmp_path: Path, servers: tuple[Server, Server]) -> None:
    """The replica is cut off in full work; what its primary acknowledged afterwards is gone."""
    mail = [raw for _, raw in sample_messages()]
    primary, replica = servers
    await primary.start()
    await replica.start()
    await replica.follow(primary)
    rolling = play(workers=2, sandbox=AGAIN, redis_url=primary.url)
    async with staged_play(rolling, tmp_path) as (stage, office):
        outcome = await deliver(stage, office, mail[:10])
        streaming = asyncio.create_task(
            deliver(stage, office, mail[10:60], outcome, lambda _: asyncio.sleep(PACE_S))
        )
        await wait_for(lambda: outcome.count > 30, seconds=30, what="half of the mail")
        await replica.promote()
        await streaming
        await settled(stage, office, outcome, PATIENCE_S)
        async with Parked(stage, office, ["web", "worker1", "worker2"]):
            (tmp_path / "redis-url").write_text(replica.url)
        primary.kill()
        config = str(tmp_path / "postroom.yaml")
        async with open_office(load_settings(config)) as survivor:
            assert await read_halt(survivor.base) is not None
            await deliver(stage, survivor, mail[60:80], outcome)
            recovered = await asyncio.to_thread(CliRunner().invoke, main, ["recover", "--config", config])
            assert recovered.exit_code == 0, recovered.output
            await settled(stage, survivor, outcome, PATIENCE_S)
            await compare(stage, survivor, outcome, forgetful=True)


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[tuple[Server, Server]]:
    """A primary and a replica, neither started."""
    pair = (
        Server(find_server().path, tmp_path / "primary"),
        Server(find_server().path, tmp_path / "replica"),
    )
    yield pair
    for server in pair:
        server.kill()


async def all_queued(office: Office, mail: Sequence[bytes]) -> bool:
    """Whether at least so many events wait."""
    lengths = [await office.base.redis.xlen(office.base.key("events", box)) for box in (WEBHOOKS, POLLING)]
    return bool(min(lengths) >= len(mail) // 2)
