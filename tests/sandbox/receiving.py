"""An endpoint for webhooks, and sandboxes that are subscribed to it."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

import httpx

from tests.sandbox.driving import Driver, drive
from tests.waiting import wait_for

SECRET = "test-secret-token-1"
URL = "http://receiver/hooks/zoom/acme"


class Receiver:
    """An endpoint that keeps what it gets and answers with the statuses given, then with 200."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.requests: list[httpx.Request] = []
        self.validation: Callable[[str], httpx.Response] = self.prove

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        if body["event"] == "endpoint.url_validation":
            return self.validation(body["payload"]["plainToken"])
        self.requests.append(request)
        status = self.statuses.pop(0) if self.statuses else 200
        if status == 0:
            raise httpx.ConnectError("refused")
        return httpx.Response(status)

    def prove(self, token: str) -> httpx.Response:
        proof = hmac.new(SECRET.encode(), token.encode(), sha256).hexdigest()
        return httpx.Response(200, json={"plainToken": token, "encryptedToken": proof})

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(request.content) for request in self.requests]


@contextmanager
def subscribed(receiver: Receiver, **config: Any) -> Iterator[Driver]:
    driver = drive(
        httpx.MockTransport(receiver),
        limits=False,
        webhook_url=URL,
        webhook_secret=SECRET,
        **{"retry_delays": (0.0, 0.0, 0.0)} | config,
    )
    yield driver
    driver.close()


async def settle(driver: Driver) -> dict[str, Any]:
    """Wait until no webhook is under way."""

    async def settled() -> dict[str, Any] | None:
        state = await driver.look("webhook")
        return None if state["waiting"] else state

    found: dict[str, Any] = await wait_for(settled, what="the webhooks to settle")
    return found
