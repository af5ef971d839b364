"""What a process of ours tells the others: that it lives, what it counted, and spans where wanted."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from redis.exceptions import RedisError

from engine import __version__, metrics
from engine.ending import end
from engine.settings import telemetry_endpoint
from engine.store.figures import Figures, Process
from engine.wiring import Office

log = logging.getLogger("postroom.figures")

WRITE_EVERY_S = 1.0
BEAT_EVERY_MS = 5_000
LAST_SPANS_WITHIN_S = 6.0


@dataclass
class Reporter:
    """Writes down what this process counted."""

    office: Office
    kind: str
    id: str = field(default_factory=lambda: secrets.token_hex(6))
    started: int = 0
    beat: int = 0
    unwritten: metrics.Pending = field(default_factory=metrics.Pending)
    """What Redis may have taken without our hearing of it: sent again as it is, so that it counts once."""
    batch: int = 0

    async def write(self) -> None:
        """One round trip at most; what Redis does not take is kept for the next time."""
        now = self.office.clock()
        if not self.unwritten:
            self.unwritten, self.batch = metrics.take(), self.batch + 1
        beats = now - self.beat >= BEAT_EVERY_MS
        if not self.unwritten and not beats:
            return
        process = self._process(now) if beats else None
        await Figures(self.office.base).add(self.unwritten, process, now, (self.id, self.batch))
        self.unwritten = metrics.Pending()
        self.beat = now if beats else self.beat

    async def leave(self) -> None:
        """Write down the rest, and no longer stand among the processes."""
        with contextlib.suppress(RedisError, OSError):
            for _ in ("what was under way", "the rest"):
                await self.write()
            await Figures(self.office.base).leave(self.id)

    def _process(self, now: int) -> Process:
        self.started = self.started or now
        keeper = self.office.keeper if self.kind == "worker" else None
        book = keeper.current() if keeper else None
        return Process(
            id=self.id,
            kind=self.kind,
            host=socket.gethostname(),
            pid=os.getpid(),
            version=__version__,
            started=self.started,
            seen=now,
            rules=book.digest if book else "",
            refused=keeper.refused if keeper else "",
        )


@contextlib.asynccontextmanager
async def reporting(office: Office, kind: str) -> AsyncIterator[None]:
    """Report while the process works, and for the last time when it ends."""
    reporter = Reporter(office, kind)
    stop_spans = start_spans(telemetry_endpoint(office.settings), kind)
    writing = asyncio.create_task(_keep_writing(reporter))
    try:
        yield
    finally:
        await end(writing)
        await reporter.leave()
        await _stop(stop_spans)


def start_spans(endpoint: str | None, kind: str) -> Callable[[], None]:
    """Send spans where an endpoint is configured. Raises SettingsError when that needs more installed."""
    if endpoint is None:
        return lambda: None
    from engine.telemetry import start_telemetry  # noqa: PLC0415 - an extra, and slow to import

    return start_telemetry(endpoint, kind)


async def _keep_writing(reporter: Reporter) -> None:
    while True:
        try:
            await reporter.write()
        except (RedisError, OSError) as error:
            log.debug("figures not written: %s", type(error).__name__)
        await asyncio.sleep(WRITE_EVERY_S)


async def _stop(stop_spans: Callable[[], None]) -> None:
    """Send the last spans; a collector that does not answer keeps nobody from ending."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.to_thread(stop_spans), LAST_SPANS_WITHIN_S)
