"""A Redis of our own in the data folder, for those who have named none.

Every process that uses it holds a shared lock on `users`; the last one out stops the server. The
server holds the lock on `server` from before its first instruction to its death, whoever started it:
that lock alone says whether it lives, so there are never two servers on one folder.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from engine.errors import PostroomError, SettingsError, StoreError
from engine.store.files import is_private, lock, open_lock, read, write
from engine.store.server import Version, find_server, refusal
from engine.store.tail import cut_unfinished

log = logging.getLogger(__name__)

ANSWER_WITHIN_S = 30.0
STOP_WITHIN_S = 20.0
LOOK_EVERY_S = 0.02
WATCH_EVERY_S = 0.1
LONGEST_PAUSE_S = 10.0
SOUND_AFTER_S = 1.0
"""A server that has lived so long did not fail because of how it was started."""
SOCKET_PATH_LIMIT = 100
"""A socket's path is cut off after 107 bytes on Linux and 103 on macOS."""
_CONFIG = {
    "daemonize": "yes",
    "port": "0",
    "appendonly": "yes",
    "appendfsync": "always",
    "aof-load-truncated": "yes",
    "maxmemory-policy": "noeviction",
    "save": "",
    "unixsocketperm": "700",
}


class EmbeddedRedis:
    """The server of one data folder, as one of its users sees it."""

    def __init__(self, data: Path) -> None:
        self._folder = data.absolute() / "redis"
        self._use: int | None = None

    @property
    def url(self) -> str:
        return f"unix://{self._socket()}"

    @property
    def pid(self) -> int | None:
        """The server's process id, None while there is none."""
        text = read(self._folder / "pid")
        return int(text) if text and self._lives() else None

    async def start(self) -> str:
        """Attach to the server, started first if it does not run; returns its URL.

        Raises SettingsError when there is no fit server, StoreError when it does not come up.
        """
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._use = await _join(self._folder / "users")
        except OSError as error:
            raise SettingsError(f"the data folder {self._folder} cannot be used: {error}") from error
        try:
            await self._bring_up()
        except BaseException:
            await self.stop()
            raise
        return self.url

    async def stop(self) -> None:
        """Leave the server; whoever leaves last stops it."""
        use, self._use = self._use, None
        if use is None:
            return
        try:
            if lock(use, alone=True):
                await self._end()
        finally:
            os.close(use)

    async def watch(self) -> None:
        """Start the server again whenever it dies, until cancelled."""
        pause, came_up = 0.0, time.monotonic()
        while True:
            await asyncio.sleep(WATCH_EVERY_S)
            if self._lives():
                continue
            lived = time.monotonic() - came_up
            pause = 0.0 if lived > SOUND_AFTER_S else min(2 * pause + WATCH_EVERY_S, LONGEST_PAUSE_S)
            log.warning("Redis has died; it is started again in %.1f s", pause)
            await asyncio.sleep(pause)
            try:
                await self._bring_up()
            except (PostroomError, OSError) as error:
                log.error("Redis does not come up: %s", error)
            came_up = time.monotonic()

    async def _bring_up(self) -> None:
        started = False
        deadline = time.monotonic() + ANSWER_WITHIN_S
        while time.monotonic() < deadline:
            held = self._take_server_lock()
            if held is not None and started:
                os.close(held)
                raise StoreError(f"Redis ended as soon as it was started: {self._last_words()}")
            if held is not None:
                started = True
                await asyncio.to_thread(self._launch, held)
            answer = await _ping(self._socket())
            if answer.startswith(b"+PONG"):
                return
            if answer.startswith(b"-LOADING"):
                deadline = time.monotonic() + ANSWER_WITHIN_S
            await asyncio.sleep(LOOK_EVERY_S)
        raise StoreError(f"Redis in {self._folder} lives and does not answer: {self._last_words()}")

    def _launch(self, held: int) -> None:
        """Start the server, which inherits the lock."""
        try:
            server = find_server()
            self._sign(server.version)
            cut_unfinished(self._folder)
            (self._folder / "pid").unlink(missing_ok=True)
            places = {
                "dir": self._folder,
                "pidfile": self._folder / "pid",
                "logfile": self._folder / "redis.log",
                "unixsocket": self._make_socket_folder() / "redis.sock",
            }
            words = [word for name, value in (_CONFIG | places).items() for word in (f"--{name}", str(value))]
            done = subprocess.run(  # noqa: S603
                [server.path, *words],
                pass_fds=(held,),
                capture_output=True,
                text=True,
                timeout=30,
                check=False,
            )
            if done.returncode:
                raise StoreError(f"{server.path} does not start: {(done.stderr or done.stdout).strip()}")
        finally:
            os.close(held)

    def _sign(self, version: Version) -> None:
        """Record who opens the folder. Raises SettingsError when that server must not."""
        signature = self._folder / "version"
        written = read(signature)
        if written and (why := refusal(Version.read(written), version)):
            raise SettingsError(f"the Redis data in {self._folder} is not opened: {why}")
        write(signature, str(version))

    def _socket(self) -> str:
        return read(self._folder / "socket")

    def _make_socket_folder(self) -> Path:
        """Keep the folder that the data folder names, if it is still ours alone; else make one."""
        named = self._socket()
        if named and self._is_ours(Path(named).parent):
            return Path(named).parent
        place = tempfile.gettempdir()
        short = place if len(os.fsencode(place)) < SOCKET_PATH_LIMIT - 30 else "/tmp"  # noqa: S108
        folder = Path(tempfile.mkdtemp(prefix="postroom-", dir=short))
        write(folder / "data", str(self._folder))
        write(self._folder / "socket", str(folder / "redis.sock"))
        return folder

    def _is_ours(self, folder: Path) -> bool:
        # A copied data folder names the socket of the one it was copied from.
        return read(folder / "data") == str(self._folder) and is_private(folder)

    def _take_server_lock(self) -> int | None:
        descriptor = open_lock(self._folder / "server")
        if lock(descriptor, alone=True):
            return descriptor
        os.close(descriptor)
        return None

    def _lives(self) -> bool:
        held = self._take_server_lock()
        if held is None:
            return True
        os.close(held)
        return False

    async def _end(self) -> None:
        """Stop the server by its pid. SIGKILL loses nothing: every acknowledged write is on disk."""
        if not (await self._kill(signal.SIGTERM) or await self._kill(signal.SIGKILL)):
            raise StoreError(f"Redis in {self._folder} cannot be stopped")
        named = self._socket()
        if named and self._is_ours(Path(named).parent):
            shutil.rmtree(Path(named).parent, ignore_errors=True)
        (self._folder / "socket").unlink(missing_ok=True)

    async def _kill(self, number: signal.Signals) -> bool:
        deadline, sent = time.monotonic() + STOP_WITHIN_S, False
        while self._lives():
            if time.monotonic() > deadline:
                return False
            if not sent and (pid := self.pid) is not None:
                with suppress(ProcessLookupError):
                    os.kill(pid, number)
                    os.kill(pid, signal.SIGCONT)
                sent = True
            await asyncio.sleep(LOOK_EVERY_S)
        return True

    def _last_words(self) -> str:
        return read(self._folder / "redis.log")[-500:] or "its log is empty"


@asynccontextmanager
async def embedded(data: Path) -> AsyncIterator[str]:
    """Use the server of a data folder for a while; it is started, and started again, if need be."""
    server = EmbeddedRedis(data)
    url = await server.start()
    watch = asyncio.create_task(server.watch())
    try:
        yield url
    finally:
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)
        await server.stop()


async def _ping(path: str) -> bytes:
    """Ask the server for a sign of life; its first line, or b"" when there is none."""
    try:
        async with asyncio.timeout(1.0):
            reader, writer = await asyncio.open_unix_connection(path)
            try:
                writer.write(b"PING\r\n")
                return await reader.readline()
            finally:
                writer.close()
                await writer.wait_closed()
    except (OSError, ValueError):
        return b""


async def _join(path: Path) -> int:
    """Become a user, waiting while somebody is about to stop the server."""
    descriptor = open_lock(path)
    deadline = time.monotonic() + 3 * STOP_WITHIN_S
    while time.monotonic() < deadline:
        if lock(descriptor, alone=False):
            return descriptor
        await asyncio.sleep(LOOK_EVERY_S)
    os.close(descriptor)
    raise StoreError(f"another process has been stopping Redis for too long: see {path.parent}")
