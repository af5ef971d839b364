"""Redis' append-only file is cut at a random point behind the last acknowledged write, again and again."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from prove.mail import play_mail, source
from prove.proof import Proof, Sizes
from prove.running import RETRIES, Site, as_proof, on_stage
from prove.tearing import Tear, TornRedis, torn_redis
from tests.e2e.playing import play
from tests.waiting import wait_for

SEED = 5
RATE = 40
"""Messages a second, so that something is always under way when the file is cut."""


async def prove(sizes: Sizes, folder: Path) -> Proof:
    """Spread the cuts over the run: mail waits for them where it is ahead."""
    (folder / "redis").mkdir()
    async with torn_redis(folder / "redis") as (redis, url):
        elsewhere = play(workers=2, sandbox=RETRIES, redis_url=url)
        async with on_stage("torn", elsewhere, folder) as site:
            site.note = lambda: f"after {len(redis.torn)} cuts"
            tearing = asyncio.create_task(_tear(site, redis, sizes))
            pace = Pace(redis, sizes, tearing)
            async with asyncio.timeout(sizes.within):
                await site.deliver(play_mail(sizes.torn), pace)
                await tearing
            await site.settle(sizes.within)
            proof = as_proof(await site.compare(), await site.searched())
    assert_torn(redis.torn, sizes.cuts)
    proof.facts[:0] = [source(), _fact(redis.torn)]
    return proof


@dataclass
class Pace:
    """A steady rate, and no further than one cut ahead."""

    redis: TornRedis
    sizes: Sizes
    tearing: asyncio.Task[None]

    async def __call__(self, index: int) -> None:
        await asyncio.sleep(1 / RATE)
        enough = index / self.sizes.torn * self.sizes.cuts - 1
        cuts = self.redis.torn
        await wait_for(lambda: len(cuts) >= enough or self.tearing.done(), seconds=self.sizes.within)


async def _tear(site: Site, redis: TornRedis, sizes: Sizes) -> None:
    """Tear once for each share of the mail, somewhere within it."""
    dice = random.Random(SEED)
    for turn in range(sizes.cuts):
        begin = int((turn + dice.random()) * sizes.torn / sizes.cuts)
        await wait_for(partial(_reached, site, begin), seconds=sizes.within)
        await asyncio.sleep(dice.random() / RATE)
        await redis.tear(dice)


def _reached(site: Site, count: int) -> bool:
    return site.outcome.count >= count


def assert_torn(torn: Sequence[Tear], cuts: int) -> None:
    """Every cut took something off, and not all of them all that was not acknowledged."""
    assert len(torn) == cuts, f"{len(torn)} cuts of {cuts}"
    assert all(0 <= tear.kept < tear.tail for tear in torn), f"cut nothing off: {torn}"
    assert _within(torn) >= max(cuts // 2, 1), f"too few cuts within what was written: {torn}"


def _within(torn: Sequence[Tear]) -> int:
    return sum(0 < tear.kept < tear.tail for tear in torn)


def _fact(torn: Sequence[Tear]) -> str:
    tails = [f"{tear.kept:,} of {tear.tail:,}" for tear in torn]
    return (
        f"the file was cut {len(torn)} times, {_within(torn)} times within what was written and not "
        f"acknowledged; bytes left of those behind the last acknowledged write: {', '.join(tails)}"
    )
