"""`mail.history_event` webhooks, signed, retried and validated as Zoom does (zoom-webhooks.md).

Changes of one mailbox within one turn of the event loop ring once, with the newest history id.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import secrets
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from uuid import uuid4

import httpx

from engine.sandbox.config import SandboxConfig
from engine.sandbox.store import Store

LOG = logging.getLogger(__name__)
TIMEOUT = 3.0
"""Seconds that an endpoint has to answer."""
LOST = (httpx.HTTPError, httpx.InvalidURL, TimeoutError)
AT_ONCE = 20
"""Webhooks under way at the same time."""


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """The `x-zm-signature` of a body sent at a timestamp (seconds)."""
    digest = hmac.new(secret.encode(), f"v0:{timestamp}:".encode() + body, sha256).hexdigest()
    return f"v0={digest}"


@dataclass(slots=True)
class Webhooks:
    """The subscription of one endpoint, and what happened to its webhooks."""

    config: SandboxConfig
    store: Store
    transport: httpx.AsyncBaseTransport | None = None
    url: str | None = None
    secret: str = ""
    validated: bool = False
    delivered: int = 0
    refused: int = 0
    """Answered with a status that is not retried."""
    given_up: int = 0
    pending: dict[str, int] = field(default_factory=dict)
    tasks: set[asyncio.Task[object]] = field(default_factory=set)
    _client: httpx.AsyncClient | None = None
    _slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    def __post_init__(self) -> None:
        self.subscribe(self.config.webhook_url, self.config.webhook_secret)

    def subscribe(self, url: str | None, secret: str) -> None:
        """Send to this endpoint from now on; None ends it."""
        self.url, self.secret, self.validated = url, secret, False

    def ring(self, address: str, history: int) -> None:
        """Note a change; the webhook goes out at the end of this turn of the event loop."""
        if self.url is None:
            return
        if not self.pending:
            asyncio.get_running_loop().call_soon(self._flush)
        self.pending[address] = history

    async def validate(self) -> bool:
        """Ask the endpoint to prove that it knows the secret."""
        token = secrets.token_urlsafe(16)
        event = {"event": "endpoint.url_validation", "payload": {"plainToken": token}}
        wanted = hmac.new(self.secret.encode(), token.encode(), sha256).hexdigest()
        try:
            response = await self._post(event)
            answer = response.json()
            self.validated = response.status_code == 200 and answer == {
                "plainToken": token,
                "encryptedToken": wanted,
            }
        except (*LOST, ValueError) as error:
            LOG.warning("the webhook endpoint gave no answer to the validation: %s", type(error).__name__)
            self.validated = False
        return self.validated

    def start(self, work: Coroutine[object, object, object]) -> None:
        """Run in the background until done or closed."""
        task: asyncio.Task[object] = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def aclose(self) -> None:
        """Stop what is under way."""
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def _flush(self) -> None:
        pending, self.pending = self.pending, {}
        for address, history in pending.items():
            self.start(self._deliver(address, history))

    async def _deliver(self, address: str, history: int) -> None:
        """Try once and then after each delay: 5xx, timeouts and lost connections alone are retried."""
        event = {
            "event": "mail.history_event",
            "payload": {
                "account_id": self.config.account_id,
                "operator": address,
                "object": {"email": address, "history_id": history},
            },
        }
        for delay in (0.0, *self.config.retry_delays):
            await asyncio.sleep(delay)
            status = await self._status(event)
            if status < 500:
                self.delivered += status < 300
                self.refused += status >= 300
                return
        self.given_up += 1
        LOG.warning(
            "gave a webhook for history id %s up after %s tries", history, len(self.config.retry_delays) + 1
        )

    async def _status(self, event: Mapping[str, object]) -> int:
        """The status of one try; 599 when no answer came."""
        async with self._slots:
            try:
                return (await self._post(event)).status_code
            except LOST:
                return 599

    async def _post(self, event: Mapping[str, object]) -> httpx.Response:
        """Send one event, signed anew: the timestamp is that of this try."""
        if self._client is None:
            self._client = httpx.AsyncClient(
                transport=self.transport, timeout=httpx.Timeout(TIMEOUT, pool=None), trust_env=False
            )
        milliseconds = self.store.now()
        body = json.dumps({"event_ts": milliseconds, **event}, separators=(",", ":")).encode()
        timestamp = str(milliseconds // 1000)
        headers = {
            "content-type": "application/json; charset=utf-8",
            "user-agent": "Zoom Marketplace/1.0a",
            "x-zm-request-timestamp": timestamp,
            "x-zm-signature": sign(self.secret, timestamp, body),
            "x-zm-request-id": uuid4().hex,
        }
        async with asyncio.timeout(TIMEOUT):
            return await self._client.post(self.url or "", content=body, headers=headers)
