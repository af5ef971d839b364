"""An app in this process as the other end of the wire."""

from __future__ import annotations

from typing import Any

import aiohttp
import httpx

from engine.net.failures import Answer
from engine.net.wire import Request

_KEY = aiohttp.client_reqrep.ConnectionKey("zoom.test", 80, False, True, None, None, None)


class AsgiWire:
    """Carries requests to an ASGI app. The sandbox raises what httpx would where it ends a connection."""

    def __init__(self, app: Any) -> None:
        self._transport = httpx.ASGITransport(app)

    async def carry(self, request: Request) -> Answer:
        sent = httpx.Request(request.method, request.url, headers=request.headers, content=request.body)
        try:
            answer = await self._transport.handle_async_request(sent)
        except httpx.ConnectError as error:
            raise refused(str(error)) from error
        except httpx.TransportError as error:
            raise aiohttp.ServerDisconnectedError(str(error)) from error
        return Answer(answer.status_code, answer.headers, await answer.aread())

    async def aclose(self) -> None:
        await self._transport.aclose()


def refused(text: str = "nobody there") -> Exception:
    """What the wire raises when nobody takes the connection."""
    return aiohttp.ClientConnectorError(_KEY, OSError(111, text))
