"""No secret and no text of a message comes to light, whatever goes wrong and whoever asks."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import secrets
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from prove.kit import Kit
from prove.mail import play_mail
from prove.planted import PLACES, planted
from prove.proof import Proof, Sizes
from prove.running import RETRIES, Site, on_stage
from prove.tearing import TornRedis, torn_redis
from prove.wire import send
from tests.e2e.playing import QUICK, WEBHOOKS, dead_runs, play
from tests.waiting import wait_for

HOSTILE = Path(__file__).parent / "hostile"
"""Rules and templates that quote messages and that fail."""
COUNT = 200
KINDS = ["429", "500", "503", "cut", "lost", "refused"]
FAULTS = {"operation": "*", "share": 0.15, "seed": 11, "longest_wait": 0.2, "kinds": KINDS}
REFUSAL = {"operation": "token", "status": 401, "times": 20}
LOUD = {"POSTROOM_LOG": "json", "POSTROOM_LOG_LEVEL": "debug"}
COMMANDS = (
    ("runs", "--limit", "1000"), ("runs", "--limit", "1000", "--json"), ("dead",), ("dead", "--json"),
    ("status",), ("status", "--json"), ("audit",), ("audit", "--json"), ("check", "--json"),
)  # fmt: skip


async def prove(sizes: Sizes, folder: Path) -> Proof:
    """Plant in every second message; let calls, templates, webhooks and Redis fail under the loudest logs."""
    (folder / "redis").mkdir()
    plan = play(QUICK, workers=2, sandbox=RETRIES)
    hidden = {**plan.secrets, "password": secrets.token_hex(16)}
    with _environment(LOUD):
        async with torn_redis(folder / "redis", hidden["password"]) as (redis, url):
            rules, templates = HOSTILE / "rules", HOSTILE / "templates"
            loud = replace(plan, redis_url=url, secrets=hidden, rules=rules, templates=templates)
            async with on_stage("secrets", loud, folder) as site:
                forged = await _let_go_wrong(site, redis, min(COUNT, sizes.messages))
                await site.settle(sizes.within)
                await site.stage.control("POST", "faults", json=[])
                await asyncio.gather(*(_ask(site, command) for command in COMMANDS))
                await _refuse(site)
                proof = Proof(_facts(site, forged), persons=await dead_runs(site.office))
                proof.facts.append(await site.searched())
    assert proof.persons.total(), "no template failed, so that nothing was tried"
    return proof


def _facts(site: Site, forged: int) -> list[str]:
    commands = ", ".join(sorted({command[0] for command in COMMANDS}))
    return [
        "searched for, also within base64: client secret, webhook secret, API token, password of Redis, "
        f"every access token seen, and planted words in {len(PLACES)} places of a message: "
        f"{', '.join(PLACES)}",
        f"{site.outcome.count} messages, half of them planted, while calls fail, tokens are revoked, "
        f"templates break, Redis is torn and {forged} webhooks are forged; logs at debug level",
        f"searched in: all logs, what {commands} print, every key of Redis, the metrics; only keys that "
        "remember whom we answered may name senders, and only the token's own key may hold it",
        "the other proofs with processes of their own search their logs and keys in the same way; those "
        "without (a month among machines, Pigeonhole, recognition) have neither secrets nor logs to search",
    ]


async def _let_go_wrong(site: Site, redis: TornRedis, count: int) -> int:
    """Returns how many webhooks were forged."""
    mail = [planted(index) if index % 2 else raw for index, raw in enumerate(play_mail(count))]
    await site.stage.control("POST", "faults", json=FAULTS)

    async def disturb(index: int) -> None:
        if index == count // 3:
            await site.stage.control("POST", "revoke-tokens")
        if index == count // 2:
            await redis.tear(random.Random(1))
        await asyncio.sleep(0.01)

    await site.deliver(mail, disturb)
    return await _forge(site)


async def _forge(site: Site) -> int:
    """Send the kit, and webhooks with planted words where an event has text."""
    port = urlsplit(site.stage.web_url).port or 0
    kit = Kit(site.play.secrets["webhook"], WEBHOOKS, "/hooks/zoom/sandbox")
    requests = [*(forgery.request for forgery in kit.forgeries()), *kit.planted()]
    for request in requests:
        await send(port, request)
    return len(requests)


async def _refuse(site: Site) -> None:
    """Let the credentials be refused, and wait until that was said."""
    await site.stage.control("POST", "faults", json=[REFUSAL])
    await site.stage.control("POST", "revoke-tokens")
    await wait_for(site.office.mailboxes.paused, seconds=30, what="a mailbox that is paused")


async def _ask(site: Site, command: Sequence[str]) -> int:
    """Ask a command, what it says goes into a log of its own; its exit code."""
    with (site.stage.folder / "commands.log").open("ab") as log:
        words = [
            sys.executable,
            "-m",
            "engine",
            command[0],
            "--config",
            site.stage.settings.file,
            *command[1:],
        ]
        process = await asyncio.create_subprocess_exec(*words, stdout=log, stderr=log)
        return await process.wait()


@contextlib.contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Let the processes that are started meanwhile find these."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
