"""Another system on loopback, which notes how it was called and answers as it is told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from multidict import CIMultiDictProxy


@dataclass
class Other:
    """The system, its calls, and the answers that it still gives before it says yes to all."""

    port: int = 0
    calls: list[tuple[CIMultiDictProxy[str], bytes]] = field(default_factory=list)
    answers: list[web.Response] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/x"

    async def take(self, request: web.Request) -> web.Response:
        self.calls.append((request.headers, await request.read()))
        return self.answers.pop(0) if self.answers else web.json_response({})


@asynccontextmanager
async def listen() -> AsyncIterator[Other]:
    """Listen on a free port."""
    other = Other()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", other.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    other.port = runner.addresses[0][1]
    try:
        yield other
    finally:
        await runner.cleanup()
