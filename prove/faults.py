"""A tenth of all provider calls fail, searches lag, webhooks come twice, late, in another order or never."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from prove.mail import play_mail, source
from prove.proof import Proof, Sizes
from prove.running import RETRIES, Site, as_proof, on_stage
from tests.e2e.playing import POLLING, WEBHOOKS, play
from tests.waiting import wait_for

SHARE = 0.1
SEED = 7
KINDS = ("429", "429-daily", "500", "503", "slow", "cut", "lost", "silent", "refused", "401")
LAG_S = 0.5
TROUBLE = {"seed": SEED, "duplicate": 0.1, "reorder": 0.1, "late": [0.1, 2.0], "lose": 0.1}
FATES = ("lost", "duplicated", "reordered", "late")
TENTH = 0.1
"""What this page says of calls and webhooks, whatever was asked for above."""
RATE = 40
ASIDE = "aside@ours.example"
REVOKE_EVERY = 1_000
UNLIKELY = 12.0
"""So many are expected of what is missing by chance less than once in e^12 times."""
NET = "10s"
"""Where webhooks are lost, polling now and then is what finds the mail."""


async def prove(
    sizes: Sizes, folder: Path, kinds: tuple[str, ...] = KINDS, longest_wait: float = 1.0
) -> Proof:
    """Let everything go wrong until all is settled, then look at the mailboxes without faults."""
    plan = replace(play(workers=2, sandbox=RETRIES), mailboxes={WEBHOOKS: NET, POLLING: "1s"})
    async with on_stage("faults", plan, folder) as site:
        await _lag(site)
        before = await _calls(site)
        await _misbehave(site, kinds, longest_wait)

        async def pace(index: int) -> None:
            if index % REVOKE_EVERY == REVOKE_EVERY - 1:
                await site.stage.control("POST", "revoke-tokens")
            await asyncio.sleep(1 / RATE)

        async with asyncio.timeout(sizes.within):
            await site.deliver(play_mail(sizes.messages), pace)
        await site.settle(sizes.within)
        shown = (await site.stage.control("GET", "faults"))["shown"]
        calls = await _calls(site) - before
        hooks = await site.stage.control("GET", "webhook")
        assert_share("calls", shown, kinds, calls, TENTH / len(kinds))
        assert_share("calls", {"faulty": sum(shown.values())}, ["faulty"], calls, TENTH)
        assert_share("webhooks", hooks, ["lost"], _rung(hooks), TENTH)
        assert_share("webhooks that arrive", hooks, FATES[1:], _rung(hooks) - hooks["lost"], TENTH)
        await _behave(site)
        proof = as_proof(await site.compare(in_order=False), await site.searched(), NET)
    proof.facts[:0] = [source() + ", repeated with other ids", *_facts(shown, calls, hooks)]
    return proof


def assert_share(what: str, found: Mapping[str, int], kinds: Collection[str], of: int, share: float) -> None:
    """Hold how often each kind was seen against its share. Raises AssertionError.

    Both bounds are so wide that chance alone is outside of them less often than once in 100,000 runs: few
    calls say little of one kind, yet that all are missing is seen at once.
    """
    missing = [kind for kind in kinds if not found.get(kind)]
    assert len(missing) * of * share < UNLIKELY, f"of {of} {what}, none was {' or '.join(missing)}"
    for kind in kinds:
        off = abs(found.get(kind, 0) - of * share)
        assert off <= 6 * math.sqrt(of * share) + 3, f"of {of} {what}, {found.get(kind, 0)} were {kind}"


async def _misbehave(site: Site, kinds: tuple[str, ...], longest_wait: float) -> None:
    share = {"operation": "*", "share": SHARE, "seed": SEED, "longest_wait": longest_wait}
    share["kinds"] = list(kinds)
    await site.stage.control("POST", "faults", json=share)
    await site.stage.control("POST", "webhooks", json=TROUBLE)


async def _behave(site: Site) -> None:
    await site.stage.control("POST", "faults", json=[])
    await site.stage.control("POST", "lag", json={"search": 0})


async def _lag(site: Site) -> None:
    """Let searches lag; in a mailbox aside, one is seen to find a message later than it came."""
    await site.stage.control("POST", "lag", json={"search": LAG_S})
    await site.stage.control("POST", "mailboxes", json={"mailbox": ASIDE})
    sandbox = site.stage.sandbox
    grant = {"grant_type": "account_credentials", "account_id": "sandbox"}
    app = ("sandbox", site.play.secrets["client"])
    answer = (await sandbox.post("/oauth/token", params=grant, auth=app)).raise_for_status()
    bearer = {"Authorization": f"Bearer {answer.json()['access_token']}"}

    async def found() -> bool:
        path = f"/v2/emails/mailboxes/{ASIDE}/messages"
        return bool((await sandbox.get(path, params={"q": "is:unread"}, headers=bearer)).json()["messages"])

    await site.stage.deliver(ASIDE, b"Subject: aside\r\n\r\n")
    assert not await found(), "searches do not lag"
    await wait_for(found, seconds=10, what="a message that is found")


async def _calls(site: Site) -> int:
    return sum((await site.stage.control("GET", "calls"))["operations"].values())


def _rung(hooks: dict[str, int]) -> int:
    """Webhooks that set out, each once."""
    arrived = sum(hooks[name] for name in ("delivered", "refused", "given_up", "waiting"))
    return arrived - hooks["duplicated"] + hooks["lost"]


def _facts(shown: dict[str, int], calls: int, hooks: dict[str, Any]) -> list[str]:
    count = sum(shown.values())
    kinds = ", ".join(f"{kind} {number:,}" for kind, number in sorted(shown.items()))
    return [
        f"{count:,} faults on {calls:,} provider calls: {kinds}",
        f"search behind by {LAG_S} s; all tokens revoked every {REVOKE_EVERY:,} messages",
        "webhooks: " + ", ".join(f"{hooks[name]:,} {name}" for name in ("delivered", *FATES)),
    ]
