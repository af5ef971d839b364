"""`/api/v1/pause` and `/api/v1/resume`: the brake, as other systems put it on."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from redis.asyncio import Redis
from starlette.applications import Starlette

from engine.store.base import Base
from engine.store.brake import read_brake
from engine.web.brake import BrakeApi
from tests.flow.fakes import Clock

TOKEN = "api-" + "t0ken"
SINCE = "2026-01-01T00:00:00+00:00"


async def call(redis: Redis, path: str, content: bytes = b"", token: str = TOKEN) -> httpx.Response:
    app = Starlette(routes=[*BrakeApi(TOKEN, Base(redis), Clock()).routes])
    headers = {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://web.test") as client:
        return await client.post(f"/api/v1/{path}", headers=headers, content=content)


async def test_the_brake_is_put_on_and_taken_off(redis: Redis) -> None:
    paused = await call(redis, "pause", b'{"by": "ann", "reason": "a flood"}')
    brake: dict[str, Any] = {"since": SINCE, "who": "ann (API)", "why": "a flood"}
    assert (paused.status_code, paused.json()) == (200, {"sends_paused": brake})
    resumed = await call(redis, "resume")
    assert resumed.json() == {"sends_paused": None, "before": brake}
    assert (await call(redis, "resume")).json() == {"sends_paused": None, "before": None}
    assert (await call(redis, "pause")).json()["sends_paused"]["who"] == "the API"


@pytest.mark.parametrize(
    ("content", "token", "status"),
    [
        pytest.param(b"", "another", 401, id="without the token"),
        pytest.param(b"[1]", TOKEN, 400, id="no map"),
        pytest.param(b'{"why": "x"}', TOKEN, 400, id="another key"),
        pytest.param(b'{"reason": 1}', TOKEN, 400, id="no text"),
        pytest.param(b"\xff", TOKEN, 400, id="no JSON"),
        pytest.param(b" " * 20_000, TOKEN, 413, id="too much"),
    ],
)
async def test_nothing_is_paused_by(redis: Redis, content: bytes, token: str, status: int) -> None:
    assert (await call(redis, "pause", content, token)).status_code == status
    assert await read_brake(Base(redis)) is None
