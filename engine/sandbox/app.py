"""The sandbox as an ASGI application: token endpoint, Zoom Mail under /v2, control under /_sandbox."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from uuid import uuid4

import httpx
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.sandbox.answer import Answered, refused
from engine.sandbox.auth import answer_revoke, answer_token, authorize, check_token
from engine.sandbox.call import Call, read_body
from engine.sandbox.config import SandboxConfig
from engine.sandbox.control import control_routes
from engine.sandbox.failure import ApiError
from engine.sandbox.misbehaving import perform
from engine.sandbox.operations import ANSWERS, Answer, Operation, operations
from engine.sandbox.standing import check_standing
from engine.sandbox.state import Sandbox, build_sandbox
from engine.sandbox.store import Mailbox, Store

Endpoint = Callable[[Request], Awaitable[Response]]


def create_app(
    config: SandboxConfig, *, webhook_transport: httpx.AsyncBaseTransport | None = None
) -> Starlette:
    """Build a sandbox; webhooks go through `webhook_transport`, the network by default.

    The `Sandbox` itself is `app.state.sandbox`.
    """
    sandbox = build_sandbox(config)
    sandbox.webhooks.transport = webhook_transport
    app = Starlette(
        routes=[
            Route("/oauth/token", _oauth(sandbox, "token", answer_token), methods=["POST"]),
            Route("/oauth/revoke", _oauth(sandbox, "revoke", answer_revoke), methods=["POST"]),
            Route("/oauth/authorize", _authorize(sandbox), methods=["GET"]),
            *(_route(sandbox, found) for found in operations() if found.id in ANSWERS),
            Mount("/_sandbox", routes=control_routes(sandbox)),
        ],
        middleware=[Middleware(Tracking)],
        exception_handlers={ApiError: _refused, HTTPException: _unrouted, Exception: _broken},
        lifespan=_lifespan,
    )
    app.state.sandbox = sandbox
    return app


class Tracking:
    """Gives every answer the service's own id of the call."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def tracked(message: Message) -> None:
            if message["type"] == "http.response.start":
                tracking = f"v=2.0;clid=sandbox;rid={uuid4().hex}".encode()
                message["headers"] = [*message["headers"], (b"x-zm-trackingid", tracking)]
            await send(message)

        await self.app(scope, receive, tracked)


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    sandbox: Sandbox = app.state.sandbox
    sandbox.resume_sending()
    if sandbox.webhooks.url:
        sandbox.webhooks.start(sandbox.webhooks.validate())
    keeping = asyncio.create_task(sandbox.webhooks.keep_valid())
    yield
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)
    await sandbox.webhooks.aclose()
    sandbox.store.db.close()


def _oauth(
    sandbox: Sandbox, name: str, answer: Callable[[Request, SandboxConfig, Store], Awaitable[Response]]
) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        sandbox.calls[name] += 1
        return await perform(sandbox, name, request, lambda: answer(request, sandbox.config, sandbox.store))

    return endpoint


def _authorize(sandbox: Sandbox) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        return authorize(request, sandbox.config, sandbox.store)

    return endpoint


def _route(sandbox: Sandbox, operation: Operation) -> Route:
    answer = ANSWERS[operation.id]

    async def endpoint(request: Request) -> Response:
        sandbox.calls[operation.id] += 1
        sandbox.rates[operation.rate_class] += 1
        return await perform(
            sandbox, operation, request, lambda: _answer(sandbox, operation, answer, request)
        )

    return Route(f"/v2{operation.path}", endpoint, methods=[operation.method])


async def _answer(sandbox: Sandbox, operation: Operation, answer: Answer, request: Request) -> Response:
    """Check who calls and how often, then answer within one transaction."""
    body = await read_body(request)
    owner = check_token(sandbox.store, request.headers.get("authorization", ""))
    headers = _take(sandbox, operation)
    with sandbox.store.transaction():
        box = _mailbox(sandbox, owner, request.path_params["email"])
        check_standing(box, operation.id, operation.method)
        content = answer(Call(sandbox, box, request.path_params, request.query_params, body))
    return (
        Response(status_code=204, headers=headers) if content is None else Answered(content, headers=headers)
    )


def _take(sandbox: Sandbox, operation: Operation) -> dict[str, str]:
    try:
        return sandbox.limiter.take(operation.rate_class, sandbox.store.clock())
    except ApiError:
        sandbox.limited += 1
        raise


def _mailbox(sandbox: Sandbox, owner: str, address: str) -> Mailbox:
    """Find the mailbox that a call names: a user reaches only their own, the account has no "me"."""
    if not owner and address == "me":
        raise ApiError(
            400, "A Server-to-Server token must name the mailbox, not me.", code=300, field="email"
        )
    if owner and address.casefold() not in ("me", owner):
        raise ApiError(400, "Invalid access token, does not contain scopes:[mail:read:admin].", code=4711)
    box = sandbox.store.mailbox(owner or address)
    if box is None:
        raise ApiError(404, "User does not exist.", code=1001)
    return box


async def _refused(_request: Request, error: Exception) -> Response:
    if not isinstance(error, ApiError):
        raise error
    return refused(error)


async def _unrouted(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return Answered({"code": status, "message": "There is no such operation."}, status)


async def _broken(_request: Request, _error: Exception) -> Response:
    return Answered({"code": 500, "message": "The sandbox has a defect; its log tells more."}, 500)
