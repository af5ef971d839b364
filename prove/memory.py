"""What a worker and Redis need of memory as judged messages grow."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bench.mail import write_archive
from bench.site import ring
from prove.mail import play_mail, renamed, source
from prove.proof import Proof, Sizes
from prove.running import Site, on_stage, tell
from prove.sampling import (
    Sample,
    as_kinds,
    as_series,
    assert_flat,
    assert_no_leak,
    by_kind,
    slope,
    take_sample,
    used,
)
from tests.e2e.playing import WEBHOOKS, left_to_do, play
from tests.waiting import wait_for

LARGEST = 8_000
"""Bytes: larger messages are left out, since the sandbox keeps all of them in memory."""
SAMPLES = 20
SMALL, FEWER = 5_000, 8
"""Fewer messages than that are judged in fewer parts, which take their time however small they are."""


async def prove(sizes: Sizes, folder: Path) -> Proof:
    """Judge many messages in equal parts, and look at memory after each."""
    quiet = replace(play(), mailboxes={WEBHOOKS: "off"}, webhooks=False)
    turns = SAMPLES if sizes.judged >= SMALL else FEWER
    step = max(sizes.judged // turns, 1)
    mail = [raw for raw in play_mail(2 * step) if len(raw) <= LARGEST][:step]
    async with on_stage("memory", quiet, folder) as site:
        await wait_for(lambda: site.office.mailboxes.cursor(WEBHOOKS), seconds=30)
        before, samples = await used(site.office), []
        for turn in range(turns):
            await _judge(site, mail, turn, sizes.within)
            samples.append(await take_sample(site, (turn + 1) * len(mail)))
            tell("memory", samples[-1].line, site.began)
        kinds = await by_kind(site.office)
        searched = await site.searched()
    assert_flat("the worker's memory", [one.worker for one in samples])
    assert_no_leak("the worker", slope(samples, "worker"))
    tables = [as_series(samples, "judged", ["worker", "redis"]), as_kinds(kinds)]
    return Proof([*_facts(samples, before, kinds), searched], tables)


async def _judge(site: Site, mail: list[bytes], turn: int, within: float) -> None:
    """Load a part at once and ring; wait until it is judged and all is done."""
    path = write_archive([renamed(raw, turn) for raw in mail], site.stage.folder / "part.zip")
    order = {"mailbox": WEBHOOKS, "path": str(path)}
    assert (await site.stage.control("POST", "load", json=order))["loaded"] == len(mail)
    hook = f"{site.stage.web_url}/hooks/zoom/sandbox"
    await ring(site.stage.sandbox, hook, site.play.secrets["webhook"], WEBHOOKS)

    async def done() -> bool:
        return await left_to_do(site.office, (turn + 1) * len(mail)) == 0

    await wait_for(done, seconds=within, every=0.5, what="a part that is judged")


def _facts(samples: list[Sample], before: float, kinds: dict[str, tuple[int, float]]) -> list[str]:
    judged, runs = samples[-1].at, kinds["run"][0]
    per = 100_000 / judged
    first, quarter, last = samples[0], samples[len(samples) // 4], samples[-1]
    grows = slope(samples, "worker") * 100_000
    return [
        f"{judged:,.0f} messages of {source()}, at most {LARGEST:,} bytes each, repeated with other ids",
        f"worker: {first.worker:.1f} MB after {first.at:,.0f}, {quarter.worker:.1f} MB after "
        f"{quarter.at:,.0f} and {last.worker:.1f} MB in the end; {grows:+.2f} MB for each 100,000 after the "
        "first quarter",
        f"Redis: {(last.redis - before) * per:.1f} MB for each 100,000 judged messages with "
        f"{runs * per:,.0f} runs; of it {kinds['judged'][1] * per:.1f} MB judged keys and "
        f"{kinds['run'][1] / max(runs, 1) * 1000:.2f} KB for each run; all of it ends with `retention`",
    ]
