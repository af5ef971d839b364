"""Redis commands per second when there is nothing to do."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from arq.worker import Worker, func

from bench.figure import Figure, Section
from bench.mail import Mail
from bench.site import Site, site
from engine.ending import end
from engine.store.jobs import arq_client
from engine.worker import POLL_DELAY_S

MAILBOX = "idle@ours.example"
SECONDS = 5.0


async def measure(mail: Mail, folder: Path, seconds: float = SECONDS) -> Section:
    """Count what web and one worker ask of Redis; then what a bare arq worker beside them adds."""
    async with site(folder, [MAILBOX]) as place:
        await place.quiet(MAILBOX, 0)
        ours = await _commands(place, seconds)
        worker = _bare_worker(place)
        working = asyncio.create_task(worker.async_run())
        both = await _commands(place, seconds)
        await end(working)
        await worker.close()
    figure = Figure("one web and one worker", ours, both - ours, "a second", "bare arq worker")
    return Section(
        "Redis commands per second at rest",
        (figure,),
        (f"over {seconds:.0f} s; the bare arq worker looks for jobs as often ({POLL_DELAY_S} s)",),
    )


def _bare_worker(place: Site) -> Worker:
    async def nothing(ctx: dict[str, Any]) -> None:
        """Stand for the one job that arq asks for."""

    return Worker(
        functions=[func(nothing)],
        redis_pool=arq_client(place.office.url, "bare"),
        queue_name="bare:queue",
        poll_delay=POLL_DELAY_S,
        handle_signals=False,
    )


async def _commands(place: Site, seconds: float) -> float:
    before = await _processed(place)
    await asyncio.sleep(seconds)
    return (await _processed(place) - before) / seconds


async def _processed(place: Site) -> int:
    return int((await place.office.base.redis.info("stats"))["total_commands_processed"])
