"""From a webhook to the first call of the provider, on a system that has nothing else to do."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx

from bench.figure import Figure, Section
from bench.load import percentile
from bench.mail import Mail
from bench.site import Site, ring, site
from bench.tap import Tap, tapped
from engine.cli.processes import Child
from engine.cli.stage import free_port, until

MAILBOX = "idle@ours.example"
SAMPLES = 200
PAUSES_S = (0.05, 0.15)
"""At random, so that no sample keeps step with arq's look at its queue."""


async def measure(mail: Mail, folder: Path, samples: int = SAMPLES) -> Section:
    """Ring ours and a bare handler in turn, and see when each call comes in."""
    async with (
        site(folder, [MAILBOX]) as place,
        tapped(place.stage.sandbox.base_url.port or 0) as (tap, port),
    ):
        await _redirect(place, port)
        async with _direct(place) as hook, httpx.AsyncClient(timeout=30) as client:
            ours, bare = [], []
            for _ in range(samples):
                ours.append(await _sample(client, tap, place.hook, place.secret))
                await place.quiet(MAILBOX, 0)
                bare.append(await _sample(client, tap, hook, place.secret))
    return Section(
        "Milliseconds from sending a webhook to the first call of the provider, idle",
        (
            Figure("p50", percentile(ours, 50), percentile(bare, 50), "ms", "bare handler"),
            Figure("p99", percentile(ours, 99), percentile(bare, 99), "ms", "bare handler"),
        ),
        (f"{samples} samples of each in turn; the bare handler verifies the signature and calls at once",),
    )


async def _sample(client: httpx.AsyncClient, tap: Tap, hook: str, secret: str) -> float:
    await asyncio.sleep(random.uniform(*PAUSES_S))
    arrived = tap.reset()
    began = time.perf_counter()
    _, moment = await asyncio.gather(ring(client, hook, secret, MAILBOX), arrived)
    return (moment - began) * 1000


async def _redirect(place: Site, port: int) -> None:
    """Let the worker reach the sandbox through the tap: it is started anew with another address."""
    path = place.stage.folder / "postroom.yaml"
    config = json.loads(path.read_text())
    config["accounts"]["sandbox"]["url"] = f"http://127.0.0.1:{port}"
    path.write_text(json.dumps(config))
    worker = place.stage.children["worker1"]
    old = worker.process
    assert old is not None
    old.terminate()

    async def heard() -> bool:
        before = (await place.calls())["list_mailbox_history"]
        await place.ring(MAILBOX)
        await asyncio.sleep(0.2)
        return worker.process is not old and (await place.calls())["list_mailbox_history"] > before

    await until(heard, 30, "the worker did not start again")
    await place.quiet(MAILBOX, 0)


@contextlib.asynccontextmanager
async def _direct(place: Site) -> AsyncIterator[str]:
    port = free_port()
    config = str(place.stage.folder / "postroom.yaml")
    child = Child("direct", [sys.executable, "-m", "bench.direct", config, str(port)])
    await child.start()
    hook = f"http://127.0.0.1:{port}/"

    async def answers() -> bool:
        try:
            await ring(place.stage.sandbox, hook, place.secret, MAILBOX)
        except httpx.TransportError:
            return False
        return True

    try:
        await until(answers, 30, "the bare handler did not start")
        yield hook
    finally:
        await child.end()
