"""A proxy before the sandbox that tells when a request arrives."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator


class Tap:
    """Passes bytes on, and remembers when the first from a client came since it was reset."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._arrived: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    def reset(self) -> asyncio.Future[float]:
        """Wait for the next bytes from a client: gives the moment by `time.perf_counter`."""
        self._arrived = asyncio.get_running_loop().create_future()
        return self._arrived

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._port)
        await asyncio.gather(self._pass_on(reader, back, listen=True), self._pass_on(there, writer))

    async def _pass_on(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, *, listen: bool = False
    ) -> None:
        with contextlib.suppress(ConnectionError):
            while chunk := await source.read(65536):
                if listen and not self._arrived.done():
                    self._arrived.set_result(time.perf_counter())
                target.write(chunk)
                await target.drain()
        target.close()


@contextlib.asynccontextmanager
async def tapped(port: int) -> AsyncIterator[tuple[Tap, int]]:
    """Put a tap before `port`; gives it with the port that it listens on."""
    tap = Tap(port)
    server = await asyncio.start_server(tap.accept, "127.0.0.1", 0)
    async with server:
        yield tap, server.sockets[0].getsockname()[1]
