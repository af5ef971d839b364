"""Carrying a fault out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from typing import Any

import httpx
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from engine.sandbox.answer import refused
from engine.sandbox.failure import ApiError
from engine.sandbox.faults import OAUTH, Fault
from engine.sandbox.limits import limit_reached, zoom_time
from engine.sandbox.mailbox import expire_history
from engine.sandbox.operations import Operation
from engine.sandbox.state import Sandbox
from engine.sandbox.tokens import revoke_tokens

CUT = "sandbox.cut"
"""The ASGI extension under which the server offers to abort a connection and to close it."""
ASKED = "A fault that was asked for."


async def perform(
    sandbox: Sandbox,
    operation: Operation | str,
    request: Request,
    act: Callable[[], Awaitable[Response]],
) -> Response:
    """Act, as wrongly as the next fault of the operation says. Raises ApiError for a status."""
    fault = sandbox.faults.take(operation if isinstance(operation, str) else operation.id)
    if fault is None:
        return await act()
    await request.body()  # else a caller who gives up takes the call back
    await asyncio.sleep(fault.delay)
    if fault.drop_before:
        return Dropped()
    if fault.status:
        raise _refusal(sandbox, fault, operation)
    if fault.revoke or fault.expire:
        _prepare(sandbox, fault, request)
    try:
        response = await act()
    except ApiError as error:
        response = refused(error)
    await asyncio.sleep(fault.delay_after)
    return _spoilt(fault, response)


class Dropped(Response):
    """No answer at all: the connection ends."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        _connection(scope, httpx.ReadError("the sandbox cut the connection"))["abort"]()
        await _gone(receive)


class Silent(Response):
    """No answer at all, until the caller gives up."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        _connection(scope, httpx.ReadTimeout("the sandbox gives no answer"))
        await _gone(receive)


class CutShort(Response):
    """An answer that ends within its body."""

    def __init__(self, whole: Response, size: int) -> None:
        super().__init__()
        self.whole, self.kept = whole, bytes(whole.body)[: min(size, len(whole.body) - 1)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection = _connection(scope, httpx.RemoteProtocolError("the sandbox cut its answer short"))
        head = {"status": self.whole.status_code, "headers": self.whole.raw_headers}
        await send({"type": "http.response.start", **head})
        await send({"type": "http.response.body", "body": self.kept, "more_body": True})
        connection["close"]()
        await _gone(receive)


def _spoilt(fault: Fault, response: Response) -> Response:
    """An answer as the fault leaves it; one without a body cannot be cut short."""
    if fault.silent:
        return Silent()
    if fault.drop_after or (fault.cut is not None and not response.body):
        return Dropped()
    return response if fault.cut is None else CutShort(response, fault.cut)


def _prepare(sandbox: Sandbox, fault: Fault, request: Request) -> None:
    with sandbox.store.transaction():
        if fault.revoke:
            revoke_tokens(sandbox.store)
        box = sandbox.store.mailbox(request.path_params.get("email", "")) if fault.expire else None
        if box is not None:
            expire_history(sandbox.store, box)


def _refusal(sandbox: Sandbox, fault: Fault, operation: Operation | str) -> ApiError:
    """Refuse as the service would, with the fault's own headers."""
    end = _come_back(fault, sandbox.store.clock())
    if fault.limit:
        rate_class = "LIGHT" if isinstance(operation, str) else operation.rate_class
        return limit_reached(sandbox.config.rates, rate_class, fault.limit, end)
    if fault.status == 401 and operation not in OAUTH:
        return ApiError(401, "Invalid access token.", code=124, headers=end)
    error = ApiError(fault.status, ASKED, headers=end)
    if operation in OAUTH:
        error.body = {"reason": ASKED, "error": "server_error" if fault.status >= 500 else "invalid_request"}
    return error


def _come_back(fault: Fault, now: float) -> dict[str, str]:
    """The header that tells when to come back, to the nearest second."""
    if fault.retry_after:
        return {"Retry-After": fault.retry_after}
    then = round(now + fault.wait)
    match fault.form:
        case "seconds":
            return {"Retry-After": str(round(fault.wait))}
        case "date":
            return {"Retry-After": formatdate(then, usegmt=True)}
        case "iso":
            return {"Retry-After": zoom_time(then)}
        case "reset":
            return {"X-RateLimit-Reset": str(then)}
        case "none":
            return {}


def _connection(scope: Scope, otherwise: httpx.TransportError) -> dict[str, Callable[[], None]]:
    """How to end the connection. In process there is none: raises what a client would see."""
    found: Any = scope.get("extensions", {}).get(CUT)
    if found is None:
        raise otherwise
    connection: dict[str, Callable[[], None]] = found
    return connection


async def _gone(receive: Receive) -> None:
    """Wait until the connection has ended, so that the server does not answer for us."""
    while (await receive())["type"] != "http.disconnect":
        pass
