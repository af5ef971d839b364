"""The web application: webhooks in; whether we are alive and ready; figures for Prometheus."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from redis.exceptions import RedisError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from engine.store.board import Snapshot
from engine.web.api import Api
from engine.web.calls import Calls
from engine.web.metrics import render
from engine.web.zoom import ZoomHooks

HOOKS = "/hooks/zoom/"
CALLS = "/hooks/in/"
LOOK_WITHIN_S = 5.0
"""Prometheus gives up after ten seconds: a Redis that hangs is said to hang before that."""
Ready = Callable[[], Awaitable[list[str]]]
"""Names what keeps us from being ready; nothing when all is well."""
Look = Callable[[], Awaitable[Snapshot]]
"""Reads everything that is watched."""


def create_app(
    hooks: ZoomHooks,
    ready: Ready,
    look: Look,
    halted: Callable[[], object] = lambda: None,
    calls: Calls | None = None,
    api: Api | None = None,
) -> ASGIApp:
    """Build the application. No trailing slash is redirected: Zoom never follows one."""

    async def healthz(request: Request) -> Response:
        return JSONResponse({"status": "alive"})

    async def readyz(request: Request) -> Response:
        try:
            problems = await ready()
        except (RedisError, OSError) as error:
            problems = [f"Redis does not answer: {type(error).__name__}"]
        # A halt is no reason to send webhooks elsewhere: events are kept.
        said = {"problems": problems} | ({"halted": str(halted())} if halted() else {})
        return JSONResponse(said, status_code=503 if problems else 200)

    async def metrics(request: Request) -> Response:
        try:
            async with asyncio.timeout(LOOK_WITHIN_S):
                snapshot = await look()
        except (RedisError, OSError) as error:
            return JSONResponse({"error": f"Redis does not answer: {type(error).__name__}"}, status_code=503)
        # In a thread: with many mailboxes and rules this takes longer than a webhook should wait.
        text, content_type = await asyncio.to_thread(render, snapshot, request.headers.get("accept", ""))
        return Response(text, headers={"content-type": content_type})

    app = Starlette(
        routes=[
            Route(f"{HOOKS}{{account}}", hooks, methods=["POST"]),
            *([Route(f"{CALLS}{{name}}", calls, methods=["POST"])] if calls else []),
            *(api.routes if api else []),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", metrics),
        ],
        exception_handlers={HTTPException: _refusal},
    )
    app.router.redirect_slashes = False
    return _hooks_first(hooks, calls, app)


def _hooks_first(hooks: ZoomHooks, calls: Calls | None, app: ASGIApp) -> ASGIApp:
    """Take webhooks before routes and middleware, which cost as much as all that is done with one."""
    first: list[tuple[str, str, ASGIApp]] = [(HOOKS, "account", hooks)]
    if calls:
        first.append((CALLS, "name", calls))

    async def take(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST":
            path: str = scope["path"]
            for start, named, endpoint in first:
                name = path[len(start) :]
                if path.startswith(start) and name and "/" not in name:
                    scope["path_params"] = {named: name}
                    await endpoint(scope, receive, send)
                    return
        await app(scope, receive, send)

    return take


async def _refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - what the handler is registered for
    return JSONResponse({"error": error.detail}, status_code=error.status_code, headers=error.headers)
