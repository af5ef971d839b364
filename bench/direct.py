"""The peer of the way from a webhook to the provider: a bare handler that calls the provider itself.

Run as `python -m bench.direct CONFIG PORT`.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from engine.settings import load_settings
from engine.web.signature import verify_zoom
from engine.wiring import Office, open_office


async def serve(config: str, port: int) -> None:
    """Serve until ended."""
    async with open_office(load_settings(config)) as office:
        settings = uvicorn.Config(make_app(office), port=port, log_level="warning", access_log=False)
        await uvicorn.Server(settings).serve()


def make_app(office: Office) -> Starlette:
    secret = office.settings.accounts["sandbox"].webhook_secret or ""

    async def hook(request: Request) -> Response:
        body = await request.body()
        timestamp, signature = request.headers["x-zm-request-timestamp"], request.headers["x-zm-signature"]
        verify_zoom(secret, timestamp, signature, body, time.time(), None)
        mailbox = json.loads(body)["payload"]["object"]["email"]
        await office.provider(mailbox).history(mailbox, 0)
        return Response(status_code=204)

    return Starlette(routes=[Route("/", hook, methods=["POST"])])


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2])))
