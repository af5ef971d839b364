"""The web application: webhooks in, and whether we are alive and ready."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from redis.exceptions import RedisError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from engine.web.zoom import ZoomHooks

Ready = Callable[[], Awaitable[list[str]]]
"""Names what keeps us from being ready; nothing when all is well."""


def create_app(hooks: ZoomHooks, ready: Ready) -> Starlette:
    """Build the application. No trailing slash is redirected: Zoom never follows one."""

    async def healthz(request: Request) -> Response:
        return JSONResponse({"status": "alive"})

    async def readyz(request: Request) -> Response:
        try:
            problems = await ready()
        except (RedisError, OSError) as error:
            problems = [f"Redis does not answer: {type(error).__name__}"]
        return JSONResponse({"problems": problems}, status_code=503 if problems else 200)

    app = Starlette(
        routes=[
            Route("/hooks/zoom/{account}", hooks.take, methods=["POST"]),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
        ],
        exception_handlers={HTTPException: _refusal},
    )
    app.router.redirect_slashes = False
    return app


async def _refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - what the handler is registered for
    return JSONResponse({"error": error.detail}, status_code=error.status_code, headers=error.headers)
