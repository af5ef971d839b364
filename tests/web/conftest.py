"""The web application in memory, and webhooks signed as Zoom signs them."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from engine.store.board import Snapshot
from engine.web.app import create_app
from engine.web.doorbell import Doorbell
from engine.web.zoom import ZoomHook, ZoomHooks

SECRET = "hook-" + "s3cret"
BOX = "support@acme.example"
NOW = 1_767_225_600.0
EVENT = {"event": "mail.history_event", "payload": {"object": {"email": BOX, "history_id": 7}}}


NOTHING = Snapshot(
    now=int(NOW * 1000), lanes=(), totals={}, alarms=(), budgets=(), processes=(), halt=None, digest="",
    in_force=0, jobs=0, jobs_since=0, open=0, dead=0, memory=0, memory_limit=0,
)  # fmt: skip


@dataclass
class Site:
    """The application with what it rang for."""

    rung: list[list[str]] = field(default_factory=list)
    traces: list[dict[str, str]] = field(default_factory=list)
    down: bool = False
    problems: list[str] = field(default_factory=list)
    snapshot: Snapshot = NOTHING
    halted: str = ""

    def __post_init__(self) -> None:
        hook = ZoomHook(SECRET, 300.0, {BOX: "Support@acme.example"})
        self.hooks = ZoomHooks({"acme": hook}, Doorbell(self._ring), lambda: NOW)
        app = create_app(self.hooks, self._ready, self._look, lambda: self.halted)
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://web.test")

    async def _ring(self, mailboxes: Mapping[str, str]) -> None:
        self._reach_redis()
        self.rung.append(list(mailboxes))
        self.traces.append(dict(mailboxes))

    async def _ready(self) -> list[str]:
        self._reach_redis()
        return self.problems

    async def _look(self) -> Snapshot:
        self._reach_redis()
        return self.snapshot

    def _reach_redis(self) -> None:
        if self.down:
            raise RedisConnectionError("Redis is away")

    async def post(self, body: bytes, path: str = "/hooks/zoom/acme", **headers: str) -> httpx.Response:
        return await self.client.post(path, content=body, headers=signed(body) | headers)


def signed(body: bytes, at: float = NOW, secret: str = SECRET) -> dict[str, str]:
    """The headers of a true webhook."""
    stamp = f"{at:.0f}"
    digest = hmac.new(secret.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
    return {"x-zm-request-timestamp": stamp, "x-zm-signature": f"v0={digest}"}


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode()


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    made = Site()
    async with made.client:
        yield made
