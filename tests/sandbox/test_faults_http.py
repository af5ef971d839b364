"""Faults of the connection, on a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import uvicorn

from engine.sandbox.app import create_app
from engine.sandbox.config import SandboxConfig
from engine.sandbox.serve import CuttingProtocol
from engine.sandbox.tokens import issue_token
from tests.sandbox.driving import ANN, encoded, mail
from tests.sandbox.test_serve import running
from tests.waiting import wait_for

BASE = f"/v2/emails/mailboxes/{ANN}"
MAIL = {"raw": encoded(mail(to="out@else.example"))}


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """A client of a sandbox behind uvicorn."""
    app = create_app(SandboxConfig(mailboxes=(ANN,), limits=False))
    config = uvicorn.Config(
        app, port=0, http=CuttingProtocol, ws="none", log_config=None, access_log=False, lifespan="off"
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    await wait_for(lambda: server.started, what="a sandbox over HTTP")
    address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    token = {"Authorization": f"Bearer {issue_token(app.state.sandbox.store)}"}
    async with httpx.AsyncClient(base_url=address, headers=token, trust_env=False) as made:
        yield made
    server.should_exit = True
    await serving
    app.state.sandbox.store.db.close()


async def fail(client: httpx.AsyncClient, **fault: Any) -> None:
    answer = await client.post("/_sandbox/faults", json=[{"operation": "*", **fault}])
    assert answer.status_code == 200, answer.text


async def sent(client: httpx.AsyncClient) -> int:
    return len((await client.get("/_sandbox/outbox")).json()["messages"])


@pytest.mark.parametrize(
    ("kind", "done"),
    [
        pytest.param("refused", 0, id="refused, and nothing was done"),
        pytest.param("lost", 1, id="lost, and it was done"),
        pytest.param("cut", 1, id="cut off, and it was done"),
    ],
)
async def test_a_connection_ends(client: httpx.AsyncClient, kind: str, done: int) -> None:
    await fail(client, kind=kind)
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        await client.post(f"{BASE}/messages/send", json=MAIL)
    assert await sent(client) == done
    assert (await client.get(f"{BASE}/messages")).status_code == 200


@pytest.mark.parametrize("size", [0, 1, 20, 10_000])
async def test_an_answer_is_cut_off_after_so_many_bytes(client: httpx.AsyncClient, size: int) -> None:
    whole = (await client.get(f"{BASE}/profile")).content
    await fail(client, cut=size)
    kept = b""
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):  # noqa: PT012
        async with client.stream("GET", f"{BASE}/profile") as answer:
            assert answer.headers["content-length"] == str(len(whole))
            async for part in answer.aiter_raw():
                kept += part
    assert kept == whole[: min(size, len(whole) - 1)]


async def test_an_answer_that_never_comes(client: httpx.AsyncClient) -> None:
    await fail(client, kind="silent")
    with pytest.raises(httpx.ReadTimeout):
        await client.post(f"{BASE}/messages/send", json=MAIL, timeout=0.2)
    assert await sent(client) == 1


async def test_a_slow_call_is_carried_out_although_nobody_waits_for_it(client: httpx.AsyncClient) -> None:
    await fail(client, delay=0.2)
    with pytest.raises(httpx.ReadTimeout):
        await client.post(f"{BASE}/messages/send", json=MAIL, timeout=0.05)
    await wait_for(lambda: sent(client), what="the slow send")


async def test_an_answer_may_come_long_after_the_deed(client: httpx.AsyncClient) -> None:
    await fail(client, delay_after=0.5)
    call = asyncio.create_task(client.post(f"{BASE}/messages/send", json=MAIL))
    await wait_for(lambda: sent(client), what="the send")
    assert not call.done()
    assert (await call).status_code == 200


async def test_a_share_of_all_kinds_leaves_the_service_whole(client: httpx.AsyncClient) -> None:
    share = {"operation": "*", "share": 0.5, "seed": 7, "longest_wait": 0.01}
    assert (await client.post("/_sandbox/faults", json=share)).status_code == 200

    async def call() -> str:
        try:
            return str((await client.get(f"{BASE}/messages")).status_code)
        except httpx.TransportError:
            return "broken"

    outcomes = [await call() for _ in range(120)]
    shown = (await client.get("/_sandbox/faults")).json()["shown"]
    assert set(shown) == {"429", "500", "503", "slow", "cut", "lost", "refused"}
    assert outcomes.count("broken") == shown["cut"] + shown["lost"] + shown["refused"]
    assert outcomes.count("200") == 120 - sum(shown.values()) + shown["slow"]
    await client.post("/_sandbox/faults", json=[])
    assert await call() == "200"


def test_a_sandbox_ends_although_a_call_was_never_answered() -> None:
    with running("--no-limits") as client:
        client.post("/_sandbox/faults", json=[{"operation": "*", "kind": "silent"}])
        with client.stream("GET", "/_sandbox/faults"), pytest.raises(httpx.ReadTimeout):
            client.get(f"{BASE}/profile", timeout=0.1)
