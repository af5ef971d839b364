"""Calls from other systems while web, workers and Redis are killed and stopped: one mail for each key."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from email import message_from_bytes
from pathlib import Path
from typing import Any

import httpx
from redis.exceptions import RedisError

from engine.cli.stage import Play, Stage, staged
from engine.wiring import Office, open_office
from prove.calling import Callers, Wanted, calls
from prove.planted import search, tokens
from prove.proof import Proof, Sizes
from prove.running import tell
from tests.e2e.chaos import Chaos
from tests.e2e.playing import ROUGH
from tests.waiting import wait_for

HERE = Path(__file__).parent / "notices"
MAILBOX = "notices@ours.example"
SEED = 11
TOLD = 200
"""So many runs are asked for by the API."""


async def prove(sizes: Sizes, folder: Path) -> Proof:
    """Call, kill, wait until all is quiet, and count mails by key."""
    play = Play(
        {MAILBOX: "off"},
        HERE / "rules",
        HERE / "templates",
        limits=False,
        webhooks=False,
        workers=2,
        execute=ROUGH,
        hooks={"orders": {"attachments": "1MB"}},
    )
    made, began = calls(sizes.calls, SEED), time.monotonic()
    async with staged(play, folder) as stage, open_office(stage.settings) as office:
        async with httpx.AsyncClient(base_url=stage.web_url) as client:
            callers = Callers(client, play.secrets)
            chaos = await _call_under_fire(stage, callers, made, sizes)
            tell("hooks", f"all called, {chaos.count} hits; {dict(callers.statuses)}", began)
            await wait_for(lambda: _quiet(office), seconds=sizes.within, every=0.3, what="quiet lanes")
            states = await _told(callers, play.secrets["api"])
        outbox = (await stage.control("GET", "outbox"))["messages"]
        persons = await _persons(office)
        kept = await _kept(office)
        searched = await _searched(stage, office, play, persons)
    assert not kept, f"what calls brought along is still there: {kept[:5]}"
    proof = _compare(made, callers, outbox, persons)
    hits = ", ".join(f"{name} {count}" for name, count in sorted(chaos.hits.items()))
    proof.facts[:0] = [f"{chaos.count} kills and stops while calls came in: {hits}"]
    proof.facts.append(f"of {sum(states.values())} runs that the API was asked for: {_counted(states)}")
    proof.facts.append(searched)
    return proof


async def _searched(stage: Stage, office: Office, play: Play, persons: Mapping[int, str]) -> str:
    """Search for what calls said and brought along; what waits for a person keeps it."""
    found = await search(stage, office, {**play.secrets, **await tokens(office)})
    waits = tuple(f"key of kind {part}" for part in ("content", "files")) if persons else ()
    shown = [one for one in found.found if not (waits and one.endswith(waits))]
    assert not shown, shown
    return found.fact


async def _call_under_fire(stage: Stage, callers: Callers, made: Sequence[Wanted], sizes: Sizes) -> Chaos:
    """Spread the hits over the calls: they wait for chaos where they are ahead."""
    chaos = Chaos(stage, SEED)
    raging = asyncio.create_task(chaos.run())

    async def pace(index: int) -> None:
        enough = (index + 1) / len(made) * sizes.hits
        await wait_for(lambda: chaos.count >= enough or raging.done(), seconds=sizes.within)

    async with asyncio.timeout(sizes.within):
        await callers.call_all(made, pace)
    chaos.end()
    await raging
    assert chaos.count >= sizes.hits, f"{chaos.count} hits of {sizes.hits}"
    return chaos


async def _quiet(office: Office) -> bool:
    """Whether no call waits and no run is under way."""
    redis, key = office.base.redis, office.base.key
    try:
        waiting = [await redis.xlen(key("events", lane)) for lane in ("hook.orders", "send")]
        return not any(waiting) and not await redis.zcard(key("due"))
    except (RedisError, OSError):
        return False


async def _told(callers: Callers, token: str) -> Counter[str]:
    """What the API says of some of the accepted calls."""
    runs = [next(iter(answers)) for answers in callers.answers.values()]
    states: Counter[str] = Counter()
    for run in runs[:: max(1, len(runs) // TOLD)]:
        headers = {"authorization": f"Bearer {token}"}
        answer = await callers.client.get(f"/api/v1/runs/{run}", headers=headers, timeout=20)
        assert answer.status_code == 200, f"a run that was accepted is not known: {answer.status_code}"
        states[answer.json()["state"]] += 1
    assert not states.keys() - {"done", "dead"}, states
    return states


async def _persons(office: Office) -> dict[int, str]:
    """Which numbers wait for a person, and why."""
    found = [await office.journal.get(run) for run in await office.journal.newest(1_000_000, dead=True)]
    contents = [
        await office.base.redis.hget(office.base.key("content", one.run.id), "payload")
        for one in found
        if one
    ]
    return {_number(json.loads(text)): one.why for one, text in zip(found, contents, strict=True) if one}


def _number(payload: dict[str, Any]) -> int:
    return int(payload["order"]["id"] if isinstance(payload["order"], dict) else payload["order"])


async def _kept(office: Office) -> list[str]:
    """What is left of calls whose runs are settled."""
    dead = set(await office.journal.newest(1_000_000, dead=True))
    base, left = office.base, []
    for part in ("content", "files"):
        async for key in base.redis.scan_iter(base.key(part, "*"), count=1000):
            if key.rpartition(":")[2] not in dead:
                left.append(key)
    return left


def _compare(
    made: Sequence[Wanted], callers: Callers, outbox: Sequence[dict[str, Any]], persons: dict[int, str]
) -> Proof:
    """Hold the mails against the keys. Raises AssertionError."""
    mails = [message_from_bytes(base64.urlsafe_b64decode(one["raw"] + "==")) for one in outbox]
    counts = Counter(int(str(mail["subject"]).removeprefix("Order ")) for mail in mails)
    files = {int(str(mail["subject"]).removeprefix("Order ")): _file(mail) for mail in mails}
    by_number = {one.number: one for one in made}
    twice = {number: count for number, count in counts.items() if count > 1}
    assert not twice, f"sent more than once: {twice}"
    missing = callers.answers.keys() - counts.keys() - persons.keys()
    assert not missing, f"accepted and not sent: {sorted(missing)[:10]}"
    unasked = counts.keys() - callers.called
    assert not unasked, f"sent and never called for: {sorted(unasked)[:10]}"
    wrong = [number for number, file in files.items() if file != by_number[number].file]
    assert not wrong, f"files differ: {wrong[:10]}"
    changed = {number: runs for number, runs in callers.answers.items() if len(runs) > 1}
    assert not changed, f"a repeated key was answered otherwise: {changed}"
    unsure = by_number.keys() - callers.answers.keys()
    repeated = len(made) - len(by_number)
    tries = _counted(Counter({str(status or "none"): n for status, n in callers.statuses.items()}))
    return Proof(
        [
            f"{len(made):,} calls, of which {repeated:,} repeat a key, a quarter by the API; "
            f"tries by answer: {tries}",
            f"{len(callers.answers):,} keys accepted (2xx): one mail for each, none missing, none twice",
            f"{len(unsure)} callers gave up without a 2xx; of these, {len(unsure & counts.keys())} mails "
            "were sent, each once",
            f"{sum(map(bool, files.values())):,} mails with the file that came along, byte for byte; nothing "
            "of what calls brought along is left in Redis",
        ],
        persons=Counter(persons.values()),
    )


def _file(mail: Any) -> bytes:
    parts = [part for part in mail.walk() if part.get_filename()]
    return parts[0].get_payload(decode=True) if parts else b""


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in sorted(counts.items()))
