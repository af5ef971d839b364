"""The peer of taking webhooks: a bare handler that verifies the signature and enqueues an arq job.

Run as `python -m bench.enqueue CONFIG PORT`.
"""

from __future__ import annotations

import json
import sys
import time

import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from engine.settings import load_settings
from engine.store.jobs import arq_client
from engine.web.signature import verify_zoom
from engine.wiring import open_office


async def serve(config: str, port: int) -> None:
    """Serve until ended, with the Redis of the configuration."""
    settings = load_settings(config)
    secret = settings.accounts["mock"].webhook_secret or ""
    async with open_office(settings) as office:
        queue = arq_client(office.url, "bare")

        async def hook(request: Request) -> Response:
            body = await request.body()
            timestamp, signature = (
                request.headers["x-zm-request-timestamp"],
                request.headers["x-zm-signature"],
            )
            verify_zoom(secret, timestamp, signature, body, time.time(), None)
            mailbox = json.loads(body)["payload"]["object"]["email"]
            await queue.enqueue_job("poll", mailbox, _queue_name="bare:queue")
            return Response(status_code=204)

        app = Starlette(routes=[Route("/", hook, methods=["POST"])])
        await uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning", access_log=False)).serve()


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1], int(sys.argv[2])))
