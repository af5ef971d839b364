"""Calls of hooks taken per second, and the way from a call to the provider, each beside a bare handler."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

from bench.figure import Figure, Section
from bench.load import percentile, send_all
from bench.mail import Mail
from bench.posting import call
from bench.tap import Tap, tapped
from engine.cli.processes import Child
from engine.cli.stage import Play, Stage, free_port, staged, until
from engine.wiring import Office, open_office

NOTICES = Path(__file__).parent.parent / "prove" / "notices"
MAILBOX = "notices@ours.example"
ROUNDS, CALLS, CONNECTIONS = 5, 2_000, 64
SAMPLES = 150
PAUSES_S = (0.05, 0.15)
"""At random, so that no sample keeps step with arq's look at its queue."""


async def measure(
    mail: Mail, folder: Path, rounds: int = ROUNDS, calls: int = CALLS, samples: int = SAMPLES
) -> Section:
    """Call ours and a bare handler in turn."""
    play = Play(
        {MAILBOX: "off"},
        NOTICES / "rules",
        NOTICES / "templates",
        limits=False,
        webhooks=False,
        hooks={"orders": {}},
    )
    async with staged(play, folder) as stage, open_office(stage.settings) as office:
        hook, secret = f"{stage.web_url}/hooks/in/orders", play.secrets["hook"]
        async with _bare(stage) as bare:
            ours, theirs = await _receipts(hook, f"{bare}/enqueue", secret, rounds, calls)
        await until(lambda: _quiet(office), 60, "the calls were not decided")
        async with tapped(stage.sandbox.base_url.port or 0) as (tap, port):
            await _redirect(stage, port)
            async with _bare(stage) as bare:
                way, direct = await _ways(tap, office, hook, f"{bare}/send", secret, samples)
    return Section(
        "Calls of a hook",
        (
            Figure("taken", ours[0], theirs[0], "a second", "arq job each"),
            Figure("p99", ours[1], theirs[1], "ms", "arq job each"),
            Figure("to the provider, p50", percentile(way, 50), percentile(direct, 50), "ms", "bare handler"),
            Figure("to the provider, p99", percentile(way, 99), percentile(direct, 99), "ms", "bare handler"),
        ),
        (
            f"{rounds} rounds of {calls:,} calls of 2 KB in turn, each with its own key, {CONNECTIONS} "
            "connections; one web process each; both answer when Redis, appendfsync always, has it; beside "
            "ours a worker asks the rules",
            f"{samples} calls of each in turn, nothing else being done; the bare handler verifies and sends "
            "at once, with no rule, template, guard or journal",
        ),
    )


async def _receipts(
    hook: str, peer: str, secret: str, rounds: int, calls: int
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Calls a second and the 99th percentile in ms, ours and the peer's; the first round only warms up."""
    took: dict[str, list[float]] = {hook: [], peer: []}
    seconds = dict.fromkeys(took, 0.0)
    for number in range(rounds + 1):
        for url in took:
            spent, each = await _generate(url, secret, calls)
            if number:
                seconds[url] += spent
                took[url] += each
    ours, theirs = ((len(took[url]) / seconds[url], percentile(took[url], 99)) for url in took)
    return ours, theirs


async def _generate(url: str, secret: str, calls: int) -> tuple[float, list[float]]:
    """Seconds that it took, and the milliseconds of each."""
    words = (sys.executable, "-m", "bench.posting", url, secret, str(CONNECTIONS))
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*words, stdin=pipe, stdout=pipe, limit=16_000_000)
    said, _ = await process.communicate(f"{calls}\n".encode())
    if process.returncode:
        raise RuntimeError("the load generator failed")
    found = json.loads(said)
    return found["seconds"], found["took"]


async def _ways(
    tap: Tap, office: Office, hook: str, peer: str, secret: str, samples: int
) -> tuple[list[float], list[float]]:
    """Milliseconds from sending a call to the first bytes that reach the provider."""
    ours, bare = [], []
    for _ in range(samples):
        ours.append(await _way(tap, hook, secret))
        await until(lambda: _quiet(office), 30, "the notification was not sent")
        bare.append(await _way(tap, peer, secret))
    return ours, bare


async def _way(tap: Tap, url: str, secret: str) -> float:
    await asyncio.sleep(random.uniform(*PAUSES_S))
    arrived, request = tap.reset(), call(url, secret, "paid")
    began = time.perf_counter()
    _, moment = await asyncio.gather(send_all(url, iter([request]), 1), arrived)
    return (moment - began) * 1000


async def _redirect(stage: Stage, port: int) -> None:
    """Let the sandbox be reached through the tap: the worker is started anew."""
    path = stage.folder / "postroom.yaml"
    config = json.loads(path.read_text())
    config["accounts"]["sandbox"]["url"] = f"http://127.0.0.1:{port}"
    path.write_text(json.dumps(config))
    worker = stage.children["worker1"]
    old = worker.process
    assert old is not None
    old.terminate()

    async def again() -> bool:
        return worker.process is not old

    await until(again, 30, "the worker did not start again")


async def _quiet(office: Office) -> bool:
    redis, key = office.base.redis, office.base.key
    return not await redis.xlen(key("events", "hook.orders")) and not await redis.zcard(key("due"))


@contextlib.asynccontextmanager
async def _bare(stage: Stage) -> AsyncIterator[str]:
    port = free_port()
    config = str(stage.folder / "postroom.yaml")
    child = Child("bare", [sys.executable, "-m", "bench.bare_calls", config, str(port)])
    await child.start()
    url = f"http://127.0.0.1:{port}"

    async def answers() -> bool:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return True
        return False

    try:
        await until(answers, 30, "the bare handler did not start")
        yield url
    finally:
        await child.end()
