"""Messages per second beside a bare loop over the same client, in the same sandbox."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from statistics import median

from bench.bare import BareLoop
from bench.expected import bench_rules, expect
from bench.figure import Figure, Section
from bench.mail import Mail, several_times
from bench.site import Site, site
from engine.mail.events import EventKind

ROUNDS = 3
AT_ONCE = 4
"""So many mailboxes get their mail at the same moment: a worker is never there for one alone."""
TIMES = 3
"""So often each mailbox gets all mail: a rate has little to do with how it begins and ends."""
FAR_S = 0.1
"""What a call takes that goes to a service elsewhere."""


async def measure(mail: Mail, folder: Path, rounds: int = ROUNDS) -> Section:
    """Load new mailboxes for each, ring, and wait until nothing is left to do; in turn, several times."""
    mail = several_times(mail, TIMES)
    alone = [[f"round{number}@ours.example"] for number in range(rounds)]
    several = [[f"box{box}-{number}@ours.example" for box in range(AT_ONCE)] for number in range(rounds)]
    far = ["far@ours.example"]
    async with site(folder, [*chain(*alone, *several, far)]) as place:
        one = [await _both(place, mail, boxes) for boxes in alone]
        many = [await _both(place, mail, boxes) for boxes in several]
        slow = {"operation": "*", "times": 10**9, "delay": FAR_S}
        await place.stage.control("POST", "faults", json=[slow])
        distant = await _both(place, mail, far)
    return Section(
        "Messages per second, from the ring of the webhook until nothing is left to do",
        (
            _figure(f"{AT_ONCE} mailboxes at once", many),
            _figure("one mailbox", one),
            Figure(f"one mailbox, each call {FAR_S * 1000:.0f} ms away", *distant, "a second", "bare loop"),
        ),
        (
            f"{len(mail.raws):,} messages to each mailbox, medians of {rounds} rounds in turn; "
            f"{AT_ONCE} at once: {_listed(many)}; one: {_listed(one)}",
            "the bare loop makes the same calls, 16 at a time a mailbox, without rules, Redis or journal",
        ),
    )


async def _both(place: Site, mail: Mail, boxes: Sequence[str]) -> tuple[float, float]:
    bare = await _bare(place, mail, [f"bare-{box}" for box in boxes])
    return await _ours(place, mail, boxes), bare


async def _ours(place: Site, mail: Mail, boxes: Sequence[str]) -> float:
    for box in boxes:
        await place.load(box, mail.raws)
    began = time.perf_counter()
    for box in boxes:
        await place.ring(box)
    ended = [await place.quiet(box, len(mail.raws)) for box in boxes]
    return len(boxes) * len(mail.raws) / (max(ended) - began)


async def _bare(place: Site, mail: Mail, boxes: Sequence[str]) -> float:
    loops = [await _loop(place, mail, box) for box in boxes]
    began = time.perf_counter()
    await asyncio.gather(*(loop.run(cursor) for loop, cursor in loops))
    return len(boxes) * len(mail.raws) / (time.perf_counter() - began)


async def _loop(place: Site, mail: Mail, box: str) -> tuple[BareLoop, int]:
    """A mailbox with its mail, and the loop that is to serve it from the history id given."""
    await place.stage.control("POST", "mailboxes", json={"mailbox": box})
    provider = place.office.provider(next(iter(place.stage.settings.mailboxes)))
    cursor = (await provider.profile(box)).history
    await place.load(box, mail.raws)
    needs = bench_rules().needs_for(EventKind.MESSAGE_RECEIVED, box)
    return BareLoop(provider, box, expect(mail.raws, box), needs), cursor


def _figure(name: str, found: Sequence[tuple[float, float]]) -> Figure:
    ours, bare = zip(*found, strict=True)
    return Figure(name, median(ours), median(bare), "a second", "bare loop")


def _listed(found: Sequence[tuple[float, float]]) -> str:
    return ", ".join(f"{ours:.0f} to {bare:.0f}" for ours, bare in found)
