"""Web, two workers and Redis are killed and stopped at random while mail comes in."""

from __future__ import annotations

import asyncio
from pathlib import Path

from prove.mail import play_mail, source
from prove.proof import Proof, Sizes
from prove.running import RETRIES, as_proof, on_stage
from tests.e2e.chaos import Chaos
from tests.e2e.playing import play
from tests.waiting import wait_for

SEED = 3


async def prove(sizes: Sizes, folder: Path) -> Proof:
    """Spread the hits over the run: mail waits for chaos where it is ahead."""
    rough = play(workers=2, sandbox=RETRIES)
    async with on_stage("kills", rough, folder) as site:
        chaos = Chaos(site.stage, SEED)
        site.note = lambda: f"after {chaos.count} hits"
        raging = asyncio.create_task(chaos.run())

        async def pace(index: int) -> None:
            enough = (index + 1) / sizes.messages * sizes.hits
            await wait_for(lambda: chaos.count >= enough or raging.done(), seconds=sizes.within)

        async with asyncio.timeout(sizes.within):
            await site.deliver(play_mail(sizes.messages), pace)
        chaos.end()
        await raging
        await site.settle(sizes.within)
        proof = as_proof(await site.compare(), await site.searched())
    assert chaos.count >= sizes.hits, f"{chaos.count} hits of {sizes.hits}"
    hits = ", ".join(f"{name} {count}" for name, count in sorted(chaos.hits.items()))
    proof.facts[:0] = [f"{source()}, repeated with other ids", f"{chaos.count} kills and stops: {hits}"]
    return proof
