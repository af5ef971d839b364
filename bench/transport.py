"""What a call costs on each HTTP transport that could carry it, over the same prepared answers."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from time import process_time

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from bench.figure import Figure, Section
from bench.mail import Mail
from engine.cli.processes import Child
from engine.cli.stage import free_port, until
from engine.net.client import HttpClient
from engine.net.failures import Call

IN_FLIGHT = (1, 16, 100)
CALLS = 3_000
SIZE = 2_000
"""Bytes of text in each message: its answer has some 4 KB."""
HEADERS = {"Authorization": "Bearer token", "Accept": "application/json"}
READ = Call("messages.get")

Ask = Callable[[], Awaitable[object]]


async def measure(mail: Mail, folder: Path, calls: int = CALLS) -> Section:
    """Ask for the same message in every way; each way's figure is of one warm client."""
    port = free_port()
    child = Child("mock", [sys.executable, "-m", "bench.mock", str(port), str(SIZE)])
    await child.start()
    url = f"http://127.0.0.1:{port}/v2/emails/mailboxes/box@ours.example/messages/1"
    try:
        await until(lambda: _answers(url), 30, "the mock did not start")
        async with _ways(url) as ways:
            found = {
                (name, flight): await _cost(ask, calls, flight)
                for flight in IN_FLIGHT
                for name, ask in ways.items()
            }
    finally:
        await child.end()
    ours = "engine.net"
    figures = [
        Figure(f"{flight} in flight, {what}", found[ours, flight][at], found[peer, flight][at], unit, peer)
        for at, what, unit in ((0, "calls", "a second"), (1, "processor", "us"))
        for flight in IN_FLIGHT
        for peer in _peers(found, ours)
    ]
    return Section(
        "One HTTP call: calls a second, and microseconds of processor time in the client",
        tuple(figures),
        (f"{calls} calls each, of one message of some 4 KB with a bearer token, in one process",),
    )


@contextlib.asynccontextmanager
async def _ways(url: str) -> AsyncIterator[dict[str, Ask]]:
    params = {"format": "full"}
    engine = HttpClient()
    async with (
        httpx.AsyncClient() as plain,
        httpx.AsyncClient(transport=AiohttpTransport()) as over_aiohttp,
        aiohttp.ClientSession() as session,
        contextlib.aclosing(engine),
    ):

        async def raw() -> bytes:
            async with session.get(url, params=params, headers=HEADERS) as response:
                return await response.read()

        yield {
            "engine.net": lambda: engine.ask("GET", url, READ, headers=HEADERS, params=params),
            "httpx": lambda: plain.get(url, headers=HEADERS, params=params),
            "httpx, httpx-aiohttp": lambda: over_aiohttp.get(url, headers=HEADERS, params=params),
            "aiohttp": raw,
        }


async def _cost(ask: Ask, calls: int, flight: int) -> tuple[float, float]:
    """Calls a second and microseconds of our processor time for each."""
    await _run(ask, 2 * flight, flight)
    began, used = time.perf_counter(), process_time()
    await _run(ask, calls, flight)
    return calls / (time.perf_counter() - began), 1e6 * (process_time() - used) / calls


async def _run(ask: Ask, calls: int, flight: int) -> None:
    left = iter(range(calls))

    async def lane() -> None:
        for _ in left:
            await ask()

    await asyncio.gather(*(lane() for _ in range(flight)))


async def _answers(url: str) -> bool:
    async with httpx.AsyncClient() as client:
        with contextlib.suppress(httpx.HTTPError):
            return (await client.get(url)).status_code == 200
    return False


def _peers(found: dict[tuple[str, int], tuple[float, float]], ours: str) -> list[str]:
    return list(dict.fromkeys(name for name, _ in found if name != ours))
