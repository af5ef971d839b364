"""Webhooks taken per second, beside a handler that enqueues an arq job for each."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx

from bench.expected import RULES
from bench.figure import Figure, Section
from bench.load import percentile, webhook
from bench.mail import Mail
from bench.rig import Rig, rig
from engine.cli.processes import Child
from engine.cli.stage import free_port, until

MAILBOXES = 1_000
ROUNDS = 5
CONNECTIONS = 64
REPEATS = 5
"""How often each mailbox rings in the rounds where bells stay up."""


async def measure(mail: Mail, folder: Path, rounds: int = ROUNDS, mailboxes: int = MAILBOXES) -> Section:
    """Send a signed webhook for each mailbox to ours and to the peer, in turn."""
    boxes = [f"box{number}@ours.example" for number in range(mailboxes)]
    async with (
        rig(folder, boxes, RULES, workers=0) as place,
        _peer(place) as hook,
        _generator(place.hook, place.secret) as ours,
        _generator(hook, place.secret) as theirs,
    ):
        first, again, peer = _Taken(), _Taken(), _Taken()
        for _ in range(rounds + 1):
            await _lower_bells(place)
            first.add(await _send(ours, boxes))
            again.add(await _send(ours, boxes * REPEATS))
            peer.add(await _send(theirs, boxes))
    return Section(
        f"Webhooks taken per second, over {mailboxes} mailboxes",
        (
            Figure("each raises a bell and enqueues", first.rate, peer.rate, "a second", "arq job each"),
            Figure("the bell is up already", again.rate, peer.rate, "a second", "arq job each"),
            Figure("p99, each enqueues", first.p99, peer.p99, "ms", "arq job each"),
            Figure("p99, the bell is up", again.p99, peer.p99, "ms", "arq job each"),
        ),
        (
            f"{rounds} rounds in turn, {CONNECTIONS} connections; one web process each, no worker; both"
            " verify the signature and answer when Redis, appendfsync always, has acknowledged",
            "the peer is a Starlette handler in uvicorn (uvloop, httptools) that awaits enqueue_job",
        ),
    )


class _Taken:
    """What the rounds of one side gave; the first only warms up."""

    def __init__(self) -> None:
        self._seconds, self._took, self._warm = 0.0, list[float](), False

    def add(self, round_: tuple[float, list[float]]) -> None:
        if self._warm:
            self._seconds += round_[0]
            self._took += round_[1]
        self._warm = True

    @property
    def rate(self) -> float:
        return len(self._took) / self._seconds

    @property
    def p99(self) -> float:
        return percentile(self._took, 99)


async def _lower_bells(place: Rig) -> None:
    """Take every ring as heard and every job as done, so that the next ring enqueues again."""
    redis, base = place.office.base.redis, place.office.base
    rings = await redis.hgetall(base.key("wanted"))
    async with redis.pipeline(transaction=False) as pipe:
        if rings:
            pipe.hset(base.key("heard"), mapping=rings)
        pipe.delete(base.queue, "bare:queue")
        await pipe.execute()


@contextlib.asynccontextmanager
async def _generator(url: str, secret: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.load", url, secret, str(CONNECTIONS)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=16 * 1024 * 1024,
    )
    try:
        yield process
    finally:
        process.terminate()
        await process.wait()


async def _send(process: asyncio.subprocess.Process, boxes: list[str]) -> tuple[float, list[float]]:
    """Seconds that it took, and the milliseconds of each."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(boxes).encode() + b"\n")
    line = await process.stdout.readline()
    if not line:
        raise RuntimeError("the load generator failed")
    found = json.loads(line)
    return found["seconds"], found["took"]


@contextlib.asynccontextmanager
async def _peer(place: Rig) -> AsyncIterator[str]:
    port = free_port()
    child = Child("enqueue", [sys.executable, "-m", "bench.enqueue", str(place.config), str(port)])
    await child.start()
    hook = f"http://127.0.0.1:{port}/"

    async def answers() -> bool:
        # Its own port, closed, is what the first tries meet.
        request = webhook(hook, place.secret, "first@ours.example").partition(b"\r\n\r\n")
        head = dict(line.split(": ", 1) for line in request[0].decode().split("\r\n")[1:])
        async with httpx.AsyncClient() as client:
            with contextlib.suppress(httpx.TransportError):
                return (await client.post(hook, content=request[2], headers=head)).is_success
        return False

    try:
        await until(answers, 30, "the peer did not start")
        yield hook
    finally:
        await child.end()
