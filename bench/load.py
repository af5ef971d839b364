"""A load generator that is not the bottleneck: keep-alive connections that each send one request at a time.

Run as `python -m bench.load URL SECRET CONNECTIONS`: for every line on its input, a JSON list of
mailboxes, it sends one signed webhook each and prints how long each took, in milliseconds.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import cast
from urllib.parse import urlsplit

import httptools
import uvloop

from engine.sandbox.webhooks import sign

SERIAL = count(1)


class Sender(asyncio.Protocol):
    """One connection; takes the next request when the last one is answered with 2xx."""

    def __init__(self, requests: Iterator[bytes], answered: Callable[[float], None]) -> None:
        self._requests, self._answered = requests, answered
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._next()

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        if status >= 300:
            self._end(RuntimeError(f"answered {status}"))
        else:
            self._answered((time.perf_counter() - self._began) * 1000)
            # Not from within the parser, which is about to be replaced.
            asyncio.get_running_loop().call_soon(self._next)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(RuntimeError("the server hung up"))

    def _next(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self._end(None)
            return
        self._parser = httptools.HttpResponseParser(self)
        self._began = time.perf_counter()
        self._transport.write(request)

    def _end(self, error: Exception | None) -> None:
        if self.done.done():
            return
        if error:
            self.done.set_exception(error)
        else:
            self.done.set_result(None)
        self._transport.close()


async def send_all(url: str, requests: Iterator[bytes], connections: int) -> list[float]:
    """Send every request; gives the milliseconds that each took, in the order of the answers."""
    loop, place = asyncio.get_running_loop(), urlsplit(url)
    host, port = place.hostname or "", place.port or 80
    took: list[float] = []
    senders = [
        (await loop.create_connection(lambda: Sender(requests, took.append), host, port))[1]
        for _ in range(connections)
    ]
    await asyncio.gather(*(sender.done for sender in senders))
    return took


def webhook(url: str, secret: str, mailbox: str, **more: object) -> bytes:
    """One signed `mail.history_event` as it goes over the wire; no two are alike."""
    place, now = urlsplit(url), str(int(time.time()))
    facts = {"email": mailbox, "history_id": next(SERIAL), **more}
    body = json.dumps({"event": "mail.history_event", "payload": {"object": facts}}).encode()
    head = (
        f"POST {place.path} HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Type: application/json\r\n"
        f"x-zm-request-timestamp: {now}\r\nx-zm-signature: {sign(secret, now, body)}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def percentile(values: Sequence[float], percent: int) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


async def _main(url: str, secret: str, connections: int) -> None:
    for line in sys.stdin:
        # Signed before the first is sent, so that only sending is measured.
        requests = [webhook(url, secret, mailbox) for mailbox in json.loads(line)]
        began = time.perf_counter()
        took = await send_all(url, iter(requests), connections)
        print(json.dumps({"seconds": time.perf_counter() - began, "took": took}), flush=True)


if __name__ == "__main__":
    uvloop.run(_main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
