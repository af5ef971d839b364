"""Every webhook of a forging kit against a real web process: refused, and no slower than a good one."""

from __future__ import annotations

import asyncio
import re
import time
from collections import defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from engine.web.bodies import BODY_WITHIN_S
from prove.kit import BIG, IGNORED, REFUSED, Forgery, Kit
from prove.proof import Proof, Sizes, table
from prove.running import Site, on_stage, tell
from prove.wire import Answer, Request, head, send, signed
from tests.e2e.playing import WEBHOOKS, play
from tests.waiting import wait_for

SLACK_S = 0.0003
"""What the scheduling of two cores may add to a median of a millisecond."""
SLOW_SLACK_S = 0.001
FEW = 20
"""How often what sends a megabyte or more is tried at most. Of fewer times the quickest ones are compared."""
ROUGH_S = 0.02
"""What a busy machine may add to the quickest of a few."""
SLOW_AT_ONCE = 100
REPLAYS = 20
BURST = 200
HISTORY = "list_mailbox_history"


@dataclass
class Timed:
    """Seconds that each forgery took, and each good request in turn with it."""

    bad: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    good: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))


async def prove(sizes: Sizes, folder: Path) -> Proof:
    """Each in turn with good ones; then slow ones; then good ones again and again."""
    quiet = replace(play(), mailboxes={WEBHOOKS: "off"})
    async with on_stage("forging", quiet, folder) as site:
        port = urlsplit(site.stage.web_url).port or 0
        kit = Kit(quiet.secrets["webhook"], WEBHOOKS, "/hooks/zoom/sandbox")
        await wait_for(lambda: site.office.mailboxes.cursor(WEBHOOKS), seconds=30)
        timed, ignored = await _in_turn(kit, port, sizes.rounds, site.began)
        facts = [
            f"{len(timed.bad)} ways to forge, each up to {sizes.rounds} times in turn with a good webhook: "
            "all refused, none slower than a good one of its size",
            await _counted(site, ignored),
            await _slow(kit, port, sizes.rounds),
            *await _replayed(site, kit, port),
            await _spoken(kit, port),
            await site.searched(),
        ]
    return Proof(facts, [_table(kit.forgeries(), timed)])


async def _in_turn(kit: Kit, port: int, rounds: int, began: float) -> tuple[Timed, int]:
    """Give every forgery its turns. Returns the times, and how many truly signed ones were ignored."""
    timed, ignored = Timed(), 0
    sizes = {"small": 0, "big": BIG}
    for forgery in kit.forgeries():
        heavy = forgery.beside == "big" or "MB" in forgery.name
        times = min(rounds, FEW) if heavy else rounds
        took, beside = timed.bad[forgery.name], timed.good[forgery.name]
        while len(took) < times or (len(took) < FEW - 1 and not _timely(took, beside)):
            good = await send(port, kit.good(sizes[forgery.beside]))
            assert good.status == 204, f"a good webhook was answered {good.status}"
            beside.append(good.seconds)
            answer = await send(port, forgery.request)
            _check(kit, forgery, answer)
            took.append(answer.seconds)
            ignored += forgery.wanted is IGNORED
        told = f"{forgery.name}: {median(took) * 1000:.2f} ms, good {median(beside) * 1000:.2f} ms"
        tell("forging", told, began)
        assert _timely(took, beside), f"slower than a good one, {told}"
    return timed, ignored


def _timely(bad: list[float], good: list[float]) -> bool:
    """Whether these take no longer than those: at the median, or a few at their best."""
    if len(bad) < FEW:
        return min(bad) <= min(good) * 1.1 + ROUGH_S
    return median(bad) <= median(good) * 1.1 + SLACK_S


async def _spoken(kit: Kit, port: int) -> str:
    """Send planted words, signed and forged, for the search that follows."""
    requests = kit.planted()
    for request in requests:
        answer = await send(port, request)
        assert answer.status in REFUSED | IGNORED | {204}, f"answered {answer.status}"
    return f"{len(requests)} more, signed and forged, held planted words where an event has text"


def _check(kit: Kit, forgery: Forgery, answer: Answer) -> None:
    assert answer.status in forgery.wanted, (
        f"{forgery.name} was answered {answer.status}: {answer.text[:200]}"
    )
    assert "encryptedToken" not in answer.text, f"{forgery.name} got something signed"
    assert kit.secret not in answer.text


async def _counted(site: Site, ignored: int) -> str:
    """Hold what the metrics count of truly signed ones against what was sent."""
    counted = re.compile(
        r'^postroom_webhooks_total\{.*outcome="(ignored|malformed)"\} ([\d.]+)$', re.MULTILINE
    )

    async def all_counted() -> bool:
        text = (await site.stage.sandbox.get(f"{site.stage.web_url}/metrics")).text
        return sum(float(number) for _, number in counted.findall(text)) == ignored

    await wait_for(all_counted, seconds=20, every=0.2, what="a count of the ignored webhooks")
    return f"{ignored:,} truly signed and unusable ones answered 200 and counted as ignored or malformed"


async def _slow(kit: Kit, port: int, rounds: int) -> str:
    """Let many bodies drip and many heads never end, while good ones are timed."""
    lines = head("POST", kit.path, (*signed(kit.secret, b"x" * 100), ("content-length", b"100")))
    drip = Request(lines, (b"x",), 100, 0.5)
    alone = [(await send(port, kit.good())).seconds for _ in range(FEW)]
    began = time.perf_counter()
    dripping = [asyncio.create_task(send(port, drip)) for _ in range(SLOW_AT_ONCE)]
    halves = [await asyncio.open_connection("127.0.0.1", port) for _ in range(SLOW_AT_ONCE)]
    for _, writer in halves:
        writer.write(lines[:40])
    beside = []
    while time.perf_counter() - began < BODY_WITHIN_S - 1:
        beside.append((await send(port, kit.good())).seconds)
        await asyncio.sleep(0.02)
    answers = await asyncio.gather(*dripping)
    for _, writer in halves:
        writer.close()
    assert {answer.status for answer in answers} == {408}, {answer.status for answer in answers}
    longest = max(answer.seconds for answer in answers)
    assert longest < BODY_WITHIN_S + 5, f"a slow body was waited for {longest:.1f} s"
    slack = SLOW_SLACK_S if rounds >= FEW else ROUGH_S
    timely = median(beside) <= 2 * median(alone) + slack
    assert timely, f"{median(beside):.4f} s beside slow ones, alone {median(alone):.4f} s"
    return (
        f"{SLOW_AT_ONCE} bodies that drip are refused with 408 after at most {longest:.1f} s; beside them "
        f"and {SLOW_AT_ONCE} heads that never end a good webhook takes {median(beside) * 1000:.1f} ms at the "
        f"median, alone {median(alone) * 1000:.1f} ms"
    )


async def _replayed(site: Site, kit: Kit, port: int) -> list[str]:
    """Replay one true webhook, one by one and in a burst, and count reads of the history."""
    captured = kit.good()
    await send(port, captured)
    await _heard(site)
    before = await _reads(site)
    for _ in range(REPLAYS):
        assert (await send(port, captured)).status == 204
        await _heard(site)
    single = await _reads(site) - before
    answers = await asyncio.gather(*(send(port, captured) for _ in range(BURST)))
    assert {answer.status for answer in answers} == {204}
    await _heard(site)
    burst = await _reads(site) - before - single
    assert single <= REPLAYS, f"{single} reads after {REPLAYS} replays"
    assert burst <= BURST, f"{burst} reads after {BURST} replays"
    return [
        f"a true webhook replayed {REPLAYS} times, one by one: {single} reads of the history",
        f"replayed {BURST} times at once: {burst} reads",
    ]


async def _heard(site: Site) -> None:
    """Wait until the mailbox has been read after its last ring."""
    redis, key = site.office.base.redis, site.office.base.key

    async def all_heard() -> bool:
        rings, heard = [await redis.hget(key(name), WEBHOOKS) for name in ("wanted", "heard")]
        return rings is not None and rings == heard

    await wait_for(all_heard, seconds=20, every=0.01, what="a bell that was heard")


async def _reads(site: Site) -> int:
    return int((await site.stage.control("GET", "calls"))["operations"].get(HISTORY, 0))


def _table(forgeries: list[Forgery], timed: Timed) -> str:
    rows: list[list[object]] = [
        [
            forgery.name,
            " or ".join(str(status or "hung up") for status in sorted(forgery.wanted, reverse=True)),
            len(timed.bad[forgery.name]),
            f"{median(timed.bad[forgery.name]) * 1000:.2f}",
            f"{median(timed.good[forgery.name]) * 1000:.2f}",
        ]
        for forgery in forgeries
    ]
    return table(["forgery", "answer", "times", "ms, median", "good one, ms"], rows)
