"""Play mail through a staged Postroom and hold the mailboxes against the oracle."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from redis.exceptions import RedisError

from engine.cli.audit import audit_mailbox
from engine.cli.progress import Progress, caught_up, measure
from engine.cli.stage import Play, Stage
from engine.wiring import Office
from tests.e2e.oracle import expect
from tests.waiting import wait_for

HERE = Path(__file__).parent
WEBHOOKS, POLLING = "webhooks@ours.example", "polling@ours.example"


ROUGH = {"timeout": "2s", "margin": "4s", "look_gap": "200ms"}
QUICK = {"timeout": "1s", "margin": "1s", "look_gap": "100ms"}
"""For workers that die and are never merely stopped: nothing of theirs is still on its way."""


def play(execute: Mapping[str, str] = ROUGH, **options: object) -> Play:
    """Two mailboxes: one with webhooks and no polling, the other with polling alone."""
    return Play(
        {WEBHOOKS: "off", POLLING: "1s"},
        HERE / "rules",
        HERE / "templates",
        limits=False,
        execute=execute,
        **options,  # type: ignore[arg-type]
    )


@dataclass
class Outcome:
    """What went in, in order, by mailbox."""

    delivered: dict[str, list[tuple[str, bytes]]] = field(default_factory=dict)


async def deliver(
    stage: Stage, office: Office, mail: Sequence[bytes], outcome: Outcome | None = None
) -> Outcome:
    """Deliver to both mailboxes in turn, once both are in service."""
    await wait_for(lambda: _in_service(office), seconds=30, what="a cursor for both mailboxes")
    outcome = outcome or Outcome({WEBHOOKS: [], POLLING: []})
    for index, raw in enumerate(mail):
        mailbox = (WEBHOOKS, POLLING)[index % 2]
        outcome.delivered[mailbox].append((await stage.deliver(mailbox, raw), raw))
    return outcome


async def settled(stage: Stage, office: Office, outcome: Outcome, seconds: float) -> Progress:
    """Wait until everything is judged and nothing is under way."""
    count = sum(map(len, outcome.delivered.values()))

    async def quiet() -> Progress | None:
        try:
            progress = await measure(office, count, await stage.control("GET", "calls"))
            done = progress.judged == count and progress.quiet and await caught_up(office)
        except (RedisError, OSError):
            return None
        return progress if done else None

    found: Progress = await wait_for(quiet, seconds=seconds, every=0.2, what="a quiet mailbox")
    return found


async def compare(stage: Stage, office: Office, outcome: Outcome) -> None:
    """Labels as the oracle says; each send and draft once; every message accounted for."""
    outbox = (await stage.control("GET", "outbox"))["messages"]
    for mailbox, delivered in outcome.delivered.items():
        expected = expect(mailbox, delivered)
        state = (await stage.control("GET", "state", params={"mailbox": mailbox}))["messages"]
        labels = {message["id"]: frozenset(message["labels"]) for message in state}
        different = {
            key: (sorted(wanted), sorted(labels[key]))
            for key, wanted in expected.labels.items()
            if labels[key] != wanted
        }
        assert different == {}
        drafts = Counter(message["messageId"] for message in state if "DRAFT" in message["labels"])
        assert drafts == expected.drafts
        sends = Counter(message["messageId"] for message in outbox if message["mailbox"] == mailbox)
        assert sends == expected.sends
        report = await audit_mailbox(office, mailbox)
        assert report.accounted_for
        assert report.counts["pending"] == 0


async def _in_service(office: Office) -> bool:
    cursors = await asyncio.gather(*map(office.mailboxes.cursor, office.settings.mailboxes))
    return all(cursors)
