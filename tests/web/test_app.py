"""The application around the webhooks: alive, ready, and nothing else."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from engine.store.board import Snapshot
from engine.web.app import create_app
from tests.web.conftest import EVENT, NOTHING, Site, as_json


async def test_a_process_that_runs_is_alive_whatever_redis_does(site: Site) -> None:
    site.down = True
    answer = await site.client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})


async def test_it_is_ready_when_redis_can_be_trusted(site: Site) -> None:
    answer = await site.client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"problems": []})
    site.problems = ["Redis has appendonly no: set it to yes"]
    answer = await site.client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"problems": site.problems})
    site.down = True
    answer = await site.client.get("/readyz")
    assert (answer.status_code, answer.json()) == (
        503,
        {"problems": ["Redis does not answer: ConnectionError"]},
    )


async def test_it_says_that_acting_is_halted_and_takes_webhooks_all_the_same(site: Site) -> None:
    site.halted = "acting is halted"
    answer = await site.client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"problems": [], "halted": "acting is halted"})


@pytest.mark.parametrize("path", ["/hooks/zoom/acme/", "/healthz/", "/", "/hooks/zoom", "/docs"])
async def test_other_paths_are_not_found_and_never_redirected(site: Site, path: str) -> None:
    answer = await site.post(as_json(EVENT), path)
    assert answer.status_code == 404
    assert site.rung == []


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
async def test_a_hook_takes_nothing_but_post(site: Site, method: str) -> None:
    answer = await site.client.request(method, "/hooks/zoom/acme")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"


async def test_figures_are_not_waited_for_while_redis_hangs(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang() -> Snapshot:
        await asyncio.Event().wait()
        return NOTHING

    monkeypatch.setattr("engine.web.app.LOOK_WITHIN_S", 0.05)
    hanging = create_app(site.hooks, site._ready, hang)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(hanging), base_url="http://web.test"
    ) as client:
        assert (await client.get("/metrics")).status_code == 503
