"""Mail at a steady rate: lag and memory stay as they are."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median

from prove.mail import play_mail, renamed
from prove.memory import LARGEST
from prove.proof import Proof, Sizes
from prove.running import Site, on_stage, tell
from prove.sampling import Sample, as_series, assert_flat, assert_no_leak, slope, take_sample
from tests.e2e.playing import WEBHOOKS, Outcome, left_to_do, play
from tests.waiting import wait_for

SECOND = "more@ours.example"
EVERY_S = 30.0
FEWEST = 12
LAG_SLACK_S = 1.0
DIFFERENT = 3_000
BEHIND_AT_MOST_S = 5.0
WARM = 200
"""Messages at once before the rate begins, so that what processes keep for good is there."""


async def prove(sizes: Sizes, folder: Path) -> Proof:
    """Deliver at the rate to two mailboxes in turn, and look every half minute."""
    steady = replace(play(), mailboxes={WEBHOOKS: "off", SECOND: "off"})
    every = min(EVERY_S, sizes.seconds / FEWEST)
    async with on_stage("soak", steady, folder) as site:
        site.outcome = Outcome({mailbox: [] for mailbox in steady.mailboxes})
        await wait_for(lambda: _in_service(site), seconds=30, what="cursors")
        await _warm(site, sizes)
        began = time.monotonic()
        delivering = asyncio.create_task(_deliver(site, sizes))
        samples: list[Sample] = []
        while not (await asyncio.wait({delivering}, timeout=every))[0]:
            if (lag := await _lag(site, delivering)) is None:
                break
            left = await left_to_do(site.office, site.outcome.count)
            samples.append(await take_sample(site, time.monotonic() - began, lag, left))
            tell("soak", samples[-1].line, began)
        await delivering
        await site.settle(sizes.within)
        searched = await site.searched()
    for what in ("worker", "web"):
        assert_flat(f"the memory of the {what}", [getattr(one, what) for one in samples])
        assert_no_leak(f"the {what}", slope(samples, what) / sizes.rate)
    assert_flat("the lag", [one.lag for one in samples], LAG_SLACK_S)
    facts = [*_facts(samples, site.outcome.count - WARM, sizes), searched]
    return Proof(facts, [as_series(samples, "seconds", ["lag", "left", "worker", "web", "redis"])])


async def _warm(site: Site, sizes: Sizes) -> None:
    """Deliver as quickly as it is taken, and wait until all is done."""
    mail = (raw for raw in play_mail(2 * WARM) if len(raw) <= LARGEST)
    for index, raw in zip(range(WARM), mail, strict=False):
        mailbox = (WEBHOOKS, SECOND)[index % 2]
        key = await site.stage.deliver(mailbox, renamed(raw, -1))
        site.outcome.delivered[mailbox].append((key, b""))
    assert site.outcome.count == WARM
    await site.settle(sizes.within)


async def _deliver(site: Site, sizes: Sizes) -> None:
    """Keep the rate by the clock: what came late is made up for. Raises AssertionError when it cannot."""
    mail = [raw for raw in play_mail(DIFFERENT) if len(raw) <= LARGEST]
    began, count = time.monotonic(), int(sizes.seconds * sizes.rate)
    for index in range(count):
        late = time.monotonic() - began - index / sizes.rate
        assert late < BEHIND_AT_MOST_S, "the sandbox does not take mail at this rate"
        await asyncio.sleep(max(-late, 0))
        turn, number = divmod(index, len(mail))
        mailbox = (WEBHOOKS, SECOND)[index % 2]
        key = await site.stage.deliver(mailbox, renamed(mail[number], turn))
        site.outcome.delivered[mailbox].append((key, b""))


async def _lag(site: Site, delivering: asyncio.Task[None]) -> float | None:
    """Seconds until the next message is judged; None when no more comes."""
    known = site.outcome.delivered[WEBHOOKS]
    count = len(known)
    await wait_for(lambda: len(known) > count or delivering.done(), seconds=60, every=0.005)
    if len(known) == count:
        return None
    since, key = time.monotonic(), known[-1][0]

    async def judged() -> bool:
        return bool(await site.office.mailboxes.judged_among(WEBHOOKS, [key]))

    await wait_for(judged, seconds=60, every=0.005, what="a message that is judged")
    return time.monotonic() - since


def _facts(samples: Sequence[Sample], count: int, sizes: Sizes) -> list[str]:
    lags, last = sorted(one.lag for one in samples), samples[-1]

    def hourly(what: str, digits: int) -> str:
        return f"{slope(samples, what) * 3600:+.{digits}f}"

    return [
        f"{count:,} messages in {sizes.seconds / 60:.0f} minutes, {sizes.rate:g} a second, to two mailboxes "
        "by webhook",
        f"lag from delivery to judgement: median {median(lags):.2f} s, at most {lags[-1]:.2f} s, "
        f"{hourly('lag', 3)} s an hour",
        f"worker {last.worker:.1f} MB, {hourly('worker', 2)} MB an hour; web {last.web:.1f} MB, "
        f"{hourly('web', 2)} MB an hour",
        f"Redis {last.redis:.1f} MB, {hourly('redis', 1)} MB an hour: what is judged is kept for `retention` "
        "and then forgotten",
    ]


async def _in_service(site: Site) -> bool:
    cursors = await asyncio.gather(*map(site.office.mailboxes.cursor, site.play.mailboxes))
    return all(cursors)
