"""Child processes that are started again, with backoff, whenever they die."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.errors import SettingsError

log = logging.getLogger("postroom.up")

FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 15.0
SOUND_AFTER_S = 10.0
STOP_WITHIN_S = 40.0
USAGE = 2
"""A child that ends with this has found the configuration wrong: starting it again is no use."""


@dataclass
class Child:
    """One process of ours; `pid` changes with every start."""

    name: str
    command: Sequence[str]
    log: int | None = None
    """A file descriptor for what it says; None for ours."""
    process: asyncio.subprocess.Process | None = field(default=None, init=False)

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process and self.process.returncode is None else None

    async def start(self) -> asyncio.subprocess.Process:
        self.process = await asyncio.create_subprocess_exec(*self.command, stdout=self.log, stderr=self.log)
        return self.process

    async def end(self) -> None:
        """Ask it to end, and end it if it does not."""
        if self.process is None or self.process.returncode is not None:
            return
        self.process.terminate()
        try:
            async with asyncio.timeout(STOP_WITHIN_S):
                await self.process.wait()
        except TimeoutError:
            self.process.kill()
            await self.process.wait()


async def watch_children(
    children: Sequence[Child], stop: asyncio.Event, longest_pause: float = LONGEST_PAUSE_S
) -> None:
    """Keep children running until `stop` is set. Raises SettingsError when one says that it never will."""
    keeping = [asyncio.create_task(_keep(child, longest_pause)) for child in children]
    stopped = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({stopped, *keeping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (stopped, *keeping):
            task.cancel()
        await asyncio.gather(stopped, *keeping, return_exceptions=True)
        await asyncio.gather(*(child.end() for child in children))
    if not stop.is_set():
        raise SettingsError("not everything can run with this configuration; see above")


async def _keep(child: Child, longest_pause: float) -> None:
    pause = FIRST_PAUSE_S
    while True:
        began = time.monotonic()
        process = await child.start()
        code = await process.wait()
        if code == USAGE:
            log.error("%s cannot run with this configuration", child.name)
            return
        pause = FIRST_PAUSE_S if time.monotonic() - began > SOUND_AFTER_S else min(2 * pause, longest_pause)
        log.warning("%s ended with %s; it is started again in %.1f s", child.name, code, pause)
        await asyncio.sleep(pause)
