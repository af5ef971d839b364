"""A Redis whose append-only file is torn behind the last acknowledged write.

It stands behind a proxy of ours, which every client uses. Before a reply is passed on, the size of the
file is noted: with `appendfsync always` all that the reply acknowledges lies within it. To tear, replies
are held back while requests still arrive; then Redis is killed and the file cut anywhere behind that size.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from engine.cli.stage import free_port
from engine.store.server import find_server
from engine.store.tail import cut_unfinished
from tests.waiting import wait_for

GROW_WITHIN_S = 1.0
LARGE = 1_000
"""Bytes of a request that writes a plan or a page of events."""
LOOK_EVERY_S = 0.002
LONGER_S = (0.0, 0.05)
UP_WITHIN_S = 30.0
CHUNK = 65_536
_SETTINGS = {
    "appendonly": "yes", "appendfsync": "always", "aof-load-truncated": "yes", "save": "",
    "maxmemory-policy": "noeviction", "auto-aof-rewrite-percentage": "0", "bind": "127.0.0.1",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tear:
    """Bytes written behind the last acknowledged write, and how many of them were left."""

    tail: int
    kept: int


@dataclass
class TornRedis:
    """Redis and the proxy before it; `torn` tells what was done to it."""

    folder: Path
    password: str = ""
    torn: list[Tear] = field(default_factory=list)
    _port: int = field(default_factory=free_port)
    _process: asyncio.subprocess.Process | None = None
    _acknowledged: int = 0
    _passing: asyncio.Event = field(default_factory=asyncio.Event)
    _open: set[asyncio.StreamWriter] = field(default_factory=set)
    _life: int = 0
    _trap: asyncio.Event | None = None
    """Set when the next large request came and replies are held back because of it."""

    async def start(self) -> None:
        settings = _SETTINGS | ({"requirepass": self.password} if self.password else {})
        words = [word for name, value in settings.items() for word in (f"--{name}", value)]
        with (self.folder / "redis.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                find_server().path, "--port", str(self._port), "--dir", self.folder, *words, stdout=log
            )
        await wait_for(self._answers, seconds=UP_WITHIN_S, what=f"Redis, see {self.folder}/redis.log")
        self._passing.set()

    async def stop(self) -> None:
        if self._process and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client until either side ends or Redis is torn."""
        self._open.add(writer)
        with contextlib.suppress(OSError):
            there, back = await asyncio.open_connection("127.0.0.1", self._port)
            self._open.add(back)
            await asyncio.gather(self._requests(reader, back), self._replies(there, writer))
        self._open.discard(writer)
        writer.close()

    async def tear(self, dice: random.Random) -> None:
        """Hold replies back until something was written, kill Redis, cut its file, start it again.

        Every other time the reply to a large request is the first to be held back.
        """
        while not await self._hold_back(bool(len(self.torn) % 2)):
            self._passing.set()
            await asyncio.sleep(dice.uniform(*LONGER_S))
        await asyncio.sleep(dice.uniform(*LONGER_S))
        await self.stop()
        end = self._size()
        os.truncate(self._file(), dice.randint(self._acknowledged, end - 1))
        self.torn.append(Tear(end - self._acknowledged, self._size() - self._acknowledged))
        cut_unfinished(self.folder)  # As our own Redis has it done before each start.
        self._life += 1
        for writer in self._open:
            writer.close()
        self._open.clear()
        await self.start()

    async def _requests(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while chunk := await source.read(CHUNK):
                if self._trap and len(chunk) >= LARGE:
                    self._passing.clear()
                    self._trap.set()
                target.write(chunk)
                await target.drain()
        target.close()

    async def _replies(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        life = self._life
        with contextlib.suppress(OSError):
            while chunk := await source.read(CHUNK):
                await self._passing.wait()
                if life != self._life:
                    return
                self._acknowledged = self._size()
                target.write(chunk)
                await target.drain()
        target.close()

    async def _hold_back(self, large: bool) -> bool:
        """Hold replies back; False when nothing was written within a while."""
        if large:
            await self._next_large()
        self._passing.clear()
        try:
            await wait_for(self._has_grown, seconds=GROW_WITHIN_S, every=LOOK_EVERY_S)
        except AssertionError:
            return False
        return True

    async def _next_large(self) -> None:
        self._trap = asyncio.Event()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._trap.wait(), GROW_WITHIN_S)
        self._trap = None

    def _has_grown(self) -> bool:
        return self._size() > self._acknowledged

    def _file(self) -> Path:
        """What is appended to: from Redis 7 on the last part of several, before that the one file."""
        parts = sorted(self.folder.glob("appendonlydir/*.incr.aof"))
        return parts[-1] if parts else self.folder / "appendonly.aof"

    def _size(self) -> int:
        return self._file().stat().st_size

    async def _answers(self) -> bool:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            return False
        writer.write(b"PING\r\n")
        answer = await reader.readline()
        writer.close()
        return answer.startswith((b"+PONG", b"-NOAUTH"))


@contextlib.asynccontextmanager
async def torn_redis(folder: Path, password: str = "") -> AsyncIterator[tuple[TornRedis, str]]:
    """Start Redis and its proxy; gives the URL that leads through the proxy."""
    redis = TornRedis(folder, password)
    await redis.start()
    server = await asyncio.start_server(redis.accept, "127.0.0.1", 0)
    try:
        async with server:
            known = f":{password}@" if password else ""
            yield redis, f"redis://{known}127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        await redis.stop()
