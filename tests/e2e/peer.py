"""Another system that rules call: it writes down each call, and answers."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import defaultdict
from collections.abc import AsyncIterator
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.waiting import wait_for

LOG = "called.jsonl"


@contextlib.asynccontextmanager
async def peer(folder: Path) -> AsyncIterator[str]:
    """Serve on a free port, and give the address to call; calls are written down in the folder."""
    log = folder / LOG
    log.touch()

    async def called(request: Request) -> JSONResponse:
        line = [request.headers["idempotency-key"], await request.json()]
        with log.open("a") as lines:
            lines.write(f"{json.dumps(line)}\n")
        return JSONResponse({})

    app = Starlette(routes=[Route("/", called, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, access_log=False, lifespan="off"))
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign, assignment]
    serving = asyncio.create_task(server.serve())
    await wait_for(lambda: server.started, what="the system that is called")
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/"
    finally:
        server.should_exit = True
        await serving


def calls(folder: Path) -> dict[str, set[str]]:
    """By message key, the idempotency keys under which a call came about it."""
    found: dict[str, set[str]] = defaultdict(set)
    for line in (folder / LOG).read_text().splitlines():
        idempotency, body = json.loads(line)
        found[body["key"]].add(idempotency)
    return dict(found)
