"""`mail.history_event` webhooks, signed, retried and validated as Zoom does.

Changes of one mailbox within one turn of the event loop ring once, with the newest history id. The
endpoint proves itself every 72 hours; after six failures in a row the subscription is disabled
(developers.zoom.us/docs/api/webhooks).
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import logging
import secrets
from collections.abc import Collection, Coroutine, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from uuid import uuid4

import httpx

from engine.sandbox.config import SandboxConfig
from engine.sandbox.store import Store
from engine.sandbox.unreliable import OVERTAKEN_S, Way, Ways

LOG = logging.getLogger(__name__)
TIMEOUT = 3.0
"""Seconds that an endpoint has to answer."""
LOST = (httpx.HTTPError, httpx.InvalidURL, TimeoutError)
Event = Mapping[str, object]
AT_ONCE = 20
"""Webhooks under way at the same time."""
WARNED_AFTER = (2, 4)
"""Failed validations in a row after which Zoom writes to the account's owner."""
DISABLED_AFTER = 6
LOOK_EVERY_S = 1.0
"""How often it is looked whether a validation is due."""


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
    mailboxes: frozenset[str] | None = None
    """Whose changes are told of; None for everybody's."""
    validated: bool = False
    delivered: int = 0
    refused: int = 0
    """Answered with a status that is not retried."""
    given_up: int = 0
    failures: int = 0
    """Validations failed in a row."""
    warned: int = 0
    """Mails that Zoom would have written to the account's owner."""
    disabled: bool = False
    ways: Ways = field(default_factory=Ways)
    pending: dict[str, int] = field(default_factory=dict)
    tasks: set[asyncio.Task[object]] = field(default_factory=set)
    _next_validation: float = 0.0
    _passed: asyncio.Event = field(default_factory=asyncio.Event)
    _client: httpx.AsyncClient | None = None
    _slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    def __post_init__(self) -> None:
        self.subscribe(self.config.webhook_url, self.config.webhook_secret)

    def subscribe(self, url: str | None, secret: str, mailboxes: Collection[str] | None = None) -> None:
        """Send to this endpoint from now on, of all mailboxes or of these; None as `url` ends it."""
        self.url, self.secret, self.validated = url, secret, False
        self.mailboxes = None if mailboxes is None else frozenset(mailboxes)
        self.failures, self.disabled = 0, False
        self._next_validation = self.store.clock() + self.config.revalidate_every

    def ring(self, address: str, history: int) -> None:
        """Note a change; the webhook goes out at the end of this turn of the event loop."""
        if self.url is None or self.disabled:
            return
        if self.mailboxes is not None and address not in self.mailboxes:
            return
        if not self.pending:
            asyncio.get_running_loop().call_soon(self._flush)
        self.pending[address] = history

    async def validate(self) -> bool:
        """Ask the endpoint by hand to prove that it knows the secret; success enables it again."""
        self.validated = await self._proves()
        if self.validated:
            self.failures, self.disabled = 0, False
        return self.validated

    async def revalidate(self, *, due: bool = False) -> None:
        """Ask as Zoom does by itself, if it is time; failures in a row disable the subscription."""
        if self.url is None or self.disabled or not (due or self.store.clock() >= self._next_validation):
            return
        self._next_validation = self.store.clock() + self.config.revalidate_every
        if await self.validate():
            return
        self.failures += 1
        self.warned += self.failures in WARNED_AFTER
        self.disabled = self.failures >= DISABLED_AFTER

    async def keep_valid(self) -> None:
        """Revalidate whenever it is time, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            await self.revalidate()

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
            way, event = self.ways.draw(), self._event(address, history)
            for _ in range(way.times):
                self.start(self._travel(way, event))

    def _event(self, address: str, history: int) -> Event:
        return {
            "event": "mail.history_event",
            "event_ts": self.store.now(),
            "payload": {
                "account_id": self.config.account_id,
                "operator": address,
                "object": {"email": address, "history_id": history},
            },
        }

    async def _travel(self, way: Way, event: Event) -> None:
        """Deliver by the way that was drawn."""
        await asyncio.sleep(way.delay)
        if way.overtaken:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._passed.wait(), OVERTAKEN_S)
        await self._deliver(event)
        if not way.overtaken:
            self._passed.set()
            self._passed = asyncio.Event()

    async def _proves(self) -> bool:
        token = secrets.token_urlsafe(16)
        event: Event = {
            "event": "endpoint.url_validation",
            "event_ts": self.store.now(),
            "payload": {"plainToken": token},
        }
        wanted = hmac.new(self.secret.encode(), token.encode(), sha256).hexdigest()
        try:
            response = await self._post(event)
            answer = response.json()
        except (*LOST, ValueError) as error:
            LOG.warning("the webhook endpoint gave no answer to the validation: %s", type(error).__name__)
            return False
        proof = {"plainToken": token, "encryptedToken": wanted}
        return response.status_code == 200 and bool(answer == proof)

    async def _deliver(self, event: Event) -> None:
        """Try once and then after each delay: 5xx, timeouts and lost connections alone are retried."""
        for delay in (0.0, *self.config.retry_delays):
            await asyncio.sleep(delay)
            status = await self._status(event)
            if status < 500:
                self.delivered += status < 300
                self.refused += status >= 300
                return
        self.given_up += 1
        LOG.warning("gave a webhook up after %s tries", len(self.config.retry_delays) + 1)

    async def _status(self, event: Event) -> int:
        """The status of one try; 599 when no answer came."""
        async with self._slots:
            try:
                return (await self._post(event)).status_code
            except LOST:
                return 599

    async def _post(self, event: Event) -> httpx.Response:
        """Send one event, signed anew: the timestamp is that of this try."""
        if self._client is None:
            self._client = httpx.AsyncClient(
                transport=self.transport, timeout=httpx.Timeout(TIMEOUT, pool=None), trust_env=False
            )
        body = json.dumps(event, separators=(",", ":")).encode()
        timestamp = str(self.store.now() // 1000)
        headers = {
            "content-type": "application/json; charset=utf-8",
            "user-agent": "Zoom Marketplace/1.0a",
            "x-zm-request-timestamp": timestamp,
            "x-zm-signature": sign(self.secret, timestamp, body),
            "x-zm-request-id": uuid4().hex,
            "traceparent": f"00-{uuid4().hex}-{uuid4().hex[:16]}-01",
        }
        async with asyncio.timeout(TIMEOUT):
            return await self._client.post(self.url or "", content=body, headers=headers)
