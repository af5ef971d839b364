"""Kill and stop processes at random moments, until told to end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
from collections import Counter
from dataclasses import dataclass, field

from engine.cli.stage import Stage

PAUSE_S = (0.1, 1.2)
STOP_S = (0.3, 2.0)


@dataclass
class Chaos:
    """Hits web, workers and Redis; `hits` counts what it did to whom."""

    stage: Stage
    seed: int
    hits: Counter[str] = field(default_factory=Counter)
    _over: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def count(self) -> int:
        return self.hits.total()

    async def run(self) -> None:
        dice = random.Random(self.seed)
        victims = ["redis", *(name for name in self.stage.children if name != "sandbox")]
        while not await self._pause(dice.uniform(*PAUSE_S)):
            victim = dice.choice(victims)
            with contextlib.suppress(ProcessLookupError):
                await self._hit(dice, victim)

    def end(self) -> None:
        self._over.set()

    async def _hit(self, dice: random.Random, victim: str) -> None:
        pid = self._pid(victim)
        if pid is None:
            return
        if dice.random() < 0.6:
            os.kill(pid, signal.SIGKILL)
            self.hits[f"kill {victim}"] += 1
            return
        os.kill(pid, signal.SIGSTOP)
        self.hits[f"stop {victim}"] += 1
        try:
            await self._pause(dice.uniform(*STOP_S))
        finally:
            os.kill(pid, signal.SIGCONT)

    def _pid(self, victim: str) -> int | None:
        if victim == "redis":
            return self.stage.redis.pid if self.stage.redis else None
        return self.stage.children[victim].pid

    async def _pause(self, seconds: float) -> bool:
        """Pause; True once it is over."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._over.wait(), seconds)
        return self._over.is_set()
