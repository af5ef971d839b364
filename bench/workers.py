"""Processor time per message with one worker and with two: sharing the work must not cost much."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from statistics import median

from bench.expected import RULES
from bench.figure import Figure, Section
from bench.load import send_all, webhook
from bench.mail import Mail
from bench.rig import Rig, rig

MESSAGES = 4_000
ROUNDS = 3
BOXES = [f"box{number}@ours.example" for number in range(8)]
PIECES = 20
"""Mail comes in so many pieces, each with a ring for each mailbox."""


async def measure(mail: Mail, folder: Path, messages: int = MESSAGES, rounds: int = ROUNDS) -> Section:
    """Deliver the same mail to a site with one worker and to one with two, in turn."""
    cost: dict[int, list[float]] = {1: [], 2: []}
    speed: dict[int, list[float]] = {1: [], 2: []}
    for number in range(2 * rounds):
        workers = 1 + number % 2
        place_folder = folder / str(number)
        await asyncio.to_thread(place_folder.mkdir)
        async with rig(place_folder, BOXES, RULES, workers) as place:
            await _deliver(place, messages // 10)
            used, began = place.processor_s(), time.perf_counter()
            await _deliver(place, messages)
            speed[workers].append(messages / (time.perf_counter() - began))
            cost[workers].append(1e6 * (place.processor_s() - used) / messages)
    one, two = (median(cost[workers]) for workers in (1, 2))
    return Section(
        "Microseconds of processor time per message, in web and workers together",
        (Figure("two workers", two, one, "us", "one worker"),),
        (
            f"{messages} messages to {len(BOXES)} mailboxes in {PIECES} pieces, medians of {rounds} rounds in"
            " turn, before a service of prepared answers",
            f"messages a second: one worker {median(speed[1]):.0f}, two {median(speed[2]):.0f}, on the same"
            " cores as the service",
        ),
    )


async def _deliver(place: Rig, messages: int) -> None:
    """Let mail come in, and wait until all of it is done."""
    before = {box: place.service.boxes[box].arrived for box in BOXES}
    already = sum(before.values())
    share = max(messages // (len(BOXES) * PIECES), 1)
    for _ in range(PIECES):
        for box in BOXES:
            place.service.boxes[box].arrived += share
        rings = [webhook(place.hook, place.secret, box) for box in BOXES]
        await send_all(place.hook, iter(rings), len(BOXES))
    await place.wait_for(BOXES, already + share * PIECES * len(BOXES))
