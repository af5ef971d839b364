"""Messages per second beside a bare loop over the same client, in the same sandbox."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from bench.bare import BareLoop
from bench.expected import bench_rules, expect
from bench.figure import Figure, Section
from bench.mail import Mail
from bench.site import Site, site
from engine.mail.events import EventKind

ROUNDS = 3
FAR_S = 0.1
"""What a call takes that goes to a service elsewhere."""


async def measure(mail: Mail, folder: Path, rounds: int = ROUNDS) -> Section:
    """Load a new mailbox for each, ring, and wait until nothing is left to do; in turn, several times."""
    boxes = [f"round{number}@ours.example" for number in range(rounds)]
    far = "far@ours.example"
    async with site(folder, [*boxes, far]) as place:
        near = [await _both(place, mail, box) for box in boxes]
        slow = {"operation": "*", "times": 10**9, "delay": FAR_S}
        await place.stage.control("POST", "faults", json=[slow])
        distant = await _both(place, mail, far)
    ours, bare = zip(*near, strict=True)
    return Section(
        "Messages per second, from the ring of the webhook until nothing is left to do",
        (
            Figure("on this machine", median(ours), median(bare), "a second", "bare loop"),
            Figure(f"each call {FAR_S * 1000:.0f} ms away", *distant, "a second", "bare loop"),
        ),
        (
            f"medians of {rounds} rounds in turn; ours {_listed(ours)}, bare {_listed(bare)}",
            "the bare loop makes the same calls, 16 at a time, without rules, Redis or journal",
        ),
    )


async def _both(place: Site, mail: Mail, box: str) -> tuple[float, float]:
    bare = await _bare(place, mail, f"bare-{box}")
    return await _ours(place, mail, box), bare


async def _ours(place: Site, mail: Mail, box: str) -> float:
    await place.load(box, mail.raws)
    began = time.perf_counter()
    await place.ring(box)
    return len(mail.raws) / (await place.quiet(box, len(mail.raws)) - began)


async def _bare(place: Site, mail: Mail, box: str) -> float:
    await place.stage.control("POST", "mailboxes", json={"mailbox": box})
    provider = place.office.provider(next(iter(place.stage.settings.mailboxes)))
    cursor = (await provider.profile(box)).history
    await place.load(box, mail.raws)
    needs = bench_rules().needs_for(EventKind.MESSAGE_RECEIVED, box)
    loop = BareLoop(provider, box, expect(mail.raws, box), needs)
    began = time.perf_counter()
    await loop.run(cursor)
    return len(mail.raws) / (time.perf_counter() - began)


def _listed(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.0f}" for value in values)
