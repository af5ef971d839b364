"""A sandbox behind real HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import uvicorn

from engine.sandbox.app import create_app
from engine.sandbox.config import SandboxConfig
from engine.sandbox.serve import CuttingProtocol
from tests.waiting import wait_for

SERVED, OTHER = "support+eu@acme.example", "ann@acme.example"


@pytest.fixture
async def url() -> AsyncIterator[str]:
    """A sandbox behind uvicorn, hosting SERVED and OTHER."""
    app = create_app(SandboxConfig(mailboxes=(SERVED, OTHER), limits=False))
    config = uvicorn.Config(
        app, port=0, http=CuttingProtocol, ws="none", log_config=None, access_log=False, lifespan="off"
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    await wait_for(lambda: server.started, what="a sandbox over HTTP")
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    await running
