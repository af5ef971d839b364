"""The peers of a hook: bare handlers that verify a call and enqueue an arq job, or send a mail at once.

Run as `python -m bench.bare_calls CONFIG PORT`.
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
from engine.web.schemes import check_signature
from engine.wiring import Office, open_office


async def serve(config: str, port: int) -> None:
    """Serve until ended, with the Redis and the mailbox of the configuration."""
    async with open_office(load_settings(config)) as office:
        app = make_app(office)
        await uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning", access_log=False)).serve()


def make_app(office: Office) -> Starlette:
    secret = office.settings.hooks["orders"].secret
    mailbox = next(iter(office.settings.mailboxes))
    queue = arq_client(office.url, "bare")

    async def verified(request: Request) -> bytes:
        body = await request.body()
        check_signature("hmac", secret, dict(request.scope["headers"]), body, time.time())
        return body

    async def enqueue(request: Request) -> Response:
        body = await verified(request)
        key = request.headers["idempotency-key"]
        await queue.enqueue_job("notify", json.loads(body), _job_id=key, _queue_name="bare:queue")
        return Response(status_code=202)

    async def send(request: Request) -> Response:
        number = json.loads(await verified(request))["order"]["id"]
        head = f"From: {mailbox}\r\nTo: sales@customer.example\r\nSubject: Order {number}\r\n"
        await office.provider(mailbox).send(mailbox, f"{head}\r\nOrder {number} is paid.\r\n".encode())
        return Response(status_code=202)

    routes = [Route("/enqueue", enqueue, methods=["POST"]), Route("/send", send, methods=["POST"])]
    return Starlette(routes=routes)


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1], int(sys.argv[2])))
