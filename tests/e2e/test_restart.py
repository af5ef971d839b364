"""A rolling restart under load: each process is asked to end while mail streams in, and nobody notices."""

from __future__ import annotations

import asyncio
import itertools
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from engine.cli.stage import Stage
from engine.sandbox.samples import sample_messages
from engine.store.presence import at_work
from engine.wiring import Office
from tests.e2e.playing import compare, deliver, play, settled, staged_play
from tests.waiting import wait_for

pytestmark = pytest.mark.e2e

FIRST, COUNT = 10, 120
EVERY_S = 0.15
"""Between two messages, so that they come all the while."""
ENDS_WITHIN_S = 35.0
"""What a process may take: jobs under way have 30 s."""
AGAIN = ("--retry-delays", ",".join(["0.3"] * 60))
SLOW = {"operation": "*", "share": 0.2, "seed": 3, "kinds": ["slow"], "longest_wait": 0.5}


@dataclass
class Restarts:
    """What each process that was asked to end answered, and how long it took."""

    codes: list[int] = field(default_factory=list)
    took: list[float] = field(default_factory=list)

    async def one(self, stage: Stage, office: Office, name: str) -> None:
        process = stage.children[name].process
        assert process is not None
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        self.codes.append(await asyncio.wait_for(process.wait(), ENDS_WITHIN_S))
        self.took.append(time.monotonic() - began)
        pid = process.pid
        await wait_for(
            lambda: stage.children[name].pid not in (None, pid), seconds=30, what=f"a new process for {name}"
        )
        await wait_for(lambda: all_up(stage, office), seconds=30, what=f"{name} at work")


async def all_up(stage: Stage, office: Office) -> bool:
    """Web answers and both workers are connected."""
    try:
        ready = await stage.sandbox.get(f"{stage.web_url}/readyz")
    except httpx.HTTPError:
        return False
    workers = await at_work(office.base, ("worker",))
    return ready.status_code == 200 and len(workers) >= 2


async def test_processes_are_replaced_one_by_one_while_mail_streams_in(tmp_path: Path) -> None:
    mail = [raw for _, raw in sample_messages()][:COUNT]
    rolling = play(workers=2, sandbox=AGAIN)
    async with staged_play(rolling, tmp_path) as (stage, office):
        outcome = await deliver(stage, office, mail[:FIRST])
        await stage.control("POST", "faults", json=[SLOW])
        streaming = asyncio.create_task(
            deliver(stage, office, mail[FIRST:], outcome, lambda _: asyncio.sleep(EVERY_S))
        )
        restarts = Restarts()
        for name in itertools.cycle(["web", "worker1", "worker2"]):
            await restarts.one(stage, office, name)
            if streaming.done() and len(restarts.codes) >= 6:
                break
        await streaming
        await stage.control("POST", "faults", json=[])
        await settled(stage, office, outcome, 120)
        await compare(stage, office, outcome)
        hooks = await stage.control("GET", "webhook")
    print(f"\n{len(restarts.codes)} restarts, the slowest took {max(restarts.took):.1f} s; webhooks: {hooks}")
    assert set(restarts.codes) == {0}
    assert (hooks["refused"], hooks["given_up"]) == (0, 0)
