"""What the proofs that play mail have in common: a stage, a pace, the comparison, the search."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from redis.exceptions import RedisError

from engine.cli.stage import Play, Stage
from engine.wiring import Office
from prove.planted import search, tokens
from prove.proof import Proof
from tests.e2e.playing import Compared, Outcome, compare, deliver, left_to_do, settled, staged_play

TELL_EVERY_S = 10.0
LOOK_EVERY_S = 0.5
RETRIES = ("--retry-delays", ",".join(["0.5"] * 240))
"""A webhook that found nobody comes again for two minutes; Zoom's own hours are too long for us."""


@dataclass
class Site:
    """One play on stage, and every token that was seen in it."""

    stage: Stage
    office: Office
    play: Play
    name: str
    outcome: Outcome = field(default_factory=lambda: Outcome({}))
    tokens: dict[str, str] = field(default_factory=dict)
    note: Callable[[], str] = lambda: ""
    """What to tell beside the progress."""
    began: float = field(default_factory=time.monotonic)

    async def deliver(self, mail: list[bytes], pace: Callable[[int], Awaitable[object]]) -> None:
        """Deliver in turn; `pace` is awaited before each message."""
        self.outcome = Outcome({mailbox: [] for mailbox in self.play.mailboxes})
        await deliver(self.stage, self.office, mail, self.outcome, pace)

    async def settle(self, within: float) -> None:
        await settled(self.stage, self.office, self.outcome, within)

    async def compare(self, *, in_order: bool = True) -> Compared:
        return await compare(self.stage, self.office, self.outcome, in_order=in_order)

    async def searched(self) -> str:
        """Search for what was planted; gives the fact. Raises AssertionError when anything is found."""
        self.tokens |= await tokens(self.office)
        found = await search(self.stage, self.office, {**self.play.secrets, **self.tokens})
        assert not found.found, found.found
        return found.fact

    async def watch(self) -> None:
        """Keep every token that is used, and tell now and then how far it is."""
        told = self.began
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            with contextlib.suppress(RedisError, OSError):
                self.tokens |= await tokens(self.office)
                if time.monotonic() - told > TELL_EVERY_S:
                    told = time.monotonic()
                    count = self.outcome.count
                    left = await left_to_do(self.office, count)
                    tell(self.name, f"{count:,} delivered, {left:,} left to do {self.note()}", self.began)


@contextlib.asynccontextmanager
async def on_stage(name: str, play: Play, folder: Path) -> AsyncIterator[Site]:
    """Bring everything up, and tell how it goes until the end."""
    async with staged_play(play, folder) as (stage, office):
        site = Site(stage, office, play, name)
        watching = asyncio.create_task(site.watch())
        try:
            yield site
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)


def tell(name: str, what: str, since: float) -> None:
    sys.stderr.write(f"{name}: {time.monotonic() - since:5.0f} s, {what}\n")


def _swapped(compared: Compared) -> str:
    if not compared.swapped:
        return ""
    return f" ({compared.swapped} to a later message of whom the first could not be read in its turn)"


def as_proof(compared: Compared, searched: str, net: str = "") -> Proof:
    """The facts that every played proof has. `net`: how often the half with webhooks is polled as well."""
    by_webhook = f"by webhook and by polling every {net}, in case it was lost" if net else "by webhook alone"
    audit = ", ".join(f"{count:,} {state}" for state, count in sorted(compared.audit.items()))
    return Proof(
        [
            f"{compared.messages:,} messages, half {by_webhook} ({compared.bells:,} bells), half by polling "
            "alone (no bell): labels of all as the oracle says",
            f"{compared.sends:,} sends and {compared.drafts:,} drafts, each there once{_swapped(compared)}",
            f"{compared.gathered:,} messages told of by {compared.summaries:,} summaries, each by one",
            f"{compared.saved:,} messages saved in a folder and {compared.told:,} told to another system, "
            "each under one key",
            f"audit: {audit}; nothing unaccounted",
            searched,
        ],
        persons=compared.persons,
    )
