"""A tenth of all provider calls fail, searches lag, webhooks come twice, late, in another order or never."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

from prove.mail import play_mail, source
from prove.proof import Proof, Sizes
from prove.running import RETRIES, Site, as_proof, on_stage
from tests.e2e.playing import POLLING, WEBHOOKS, play

SHARE = 0.1
SEED = 7
KINDS = ("429", "429-daily", "500", "503", "slow", "cut", "lost", "silent", "refused", "401")
LAG_S = 0.5
TROUBLE = {"seed": SEED, "duplicate": 0.1, "reorder": 0.1, "late": [0.1, 2.0], "lose": 0.1}
HOOKS = ("delivered", "lost", "duplicated", "reordered", "late")
RATE = 40
REVOKE_EVERY = 1_000
NET = "10s"
"""Where webhooks are lost, polling now and then is what finds the mail."""


async def prove(
    sizes: Sizes, folder: Path, kinds: tuple[str, ...] = KINDS, longest_wait: float = 1.0
) -> Proof:
    """Let everything go wrong until all is settled, then look at the mailboxes without faults."""
    plan = replace(play(workers=2, sandbox=RETRIES), mailboxes={WEBHOOKS: NET, POLLING: "1s"})
    async with on_stage("faults", plan, folder) as site:
        await _misbehave(site, kinds, longest_wait)

        async def pace(index: int) -> None:
            if index % REVOKE_EVERY == REVOKE_EVERY - 1:
                await site.stage.control("POST", "revoke-tokens")
            await asyncio.sleep(1 / RATE)

        async with asyncio.timeout(sizes.within):
            await site.deliver(play_mail(sizes.messages), pace)
        await site.settle(sizes.within)
        shown = await site.stage.control("GET", "faults")
        calls = (await site.stage.control("GET", "calls"))["operations"]
        hooks = await site.stage.control("GET", "webhook")
        await _behave(site)
        proof = as_proof(await site.compare(in_order=False), await site.searched(), NET)
    proof.facts[:0] = [source() + ", repeated with other ids", *_facts(shown["shown"], calls, hooks)]
    return proof


async def _misbehave(site: Site, kinds: tuple[str, ...], longest_wait: float) -> None:
    share = {"operation": "*", "share": SHARE, "seed": SEED, "longest_wait": longest_wait}
    share["kinds"] = list(kinds)
    await site.stage.control("POST", "faults", json=share)
    await site.stage.control("POST", "lag", json={"search": LAG_S})
    await site.stage.control("POST", "webhooks", json=TROUBLE)


async def _behave(site: Site) -> None:
    await site.stage.control("POST", "faults", json=[])
    await site.stage.control("POST", "lag", json={"search": 0})


def _facts(shown: dict[str, int], calls: dict[str, int], hooks: dict[str, Any]) -> list[str]:
    count = sum(shown.values())
    kinds = ", ".join(f"{kind} {number:,}" for kind, number in sorted(shown.items()))
    return [
        f"{count:,} faults on {sum(calls.values()):,} provider calls: {kinds}",
        f"search behind by {LAG_S} s; all tokens revoked every {REVOKE_EVERY:,} messages",
        "webhooks: " + ", ".join(f"{hooks[name]:,} {name}" for name in HOOKS),
    ]
