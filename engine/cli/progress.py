"""How far a staged Postroom has come: per rule what matched and what was done; totals."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from engine.flow.execute import LONGEST_WAIT_MS
from engine.wiring import Office


@dataclass
class Progress:
    """A moment's figures."""

    delivered: int = 0
    judged: int = 0
    queued: int = 0
    matched: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    """Runs by rule."""
    steps: Counter[str] = field(default_factory=Counter)
    """Settled steps by effect and outcome."""
    states: Counter[str] = field(default_factory=Counter)
    pressing: int = 0
    """Runs that are to go on soon: others wait for their time, as a summary does for its hour."""
    calls: dict[str, int] = field(default_factory=dict)

    @property
    def quiet(self) -> bool:
        """Nothing waits and nothing is under way."""
        return self.queued == 0 and not self.pressing and not self.states["planned"]


async def measure(office: Office, delivered: int, calls: dict[str, Any]) -> Progress:
    """Read the journal and the queues; every rule counts, also one that nothing matched."""
    redis, key = office.base.redis, office.base.key
    progress = Progress(delivered, calls=calls["operations"])
    digest = await redis.get(key("current"))
    if digest:
        book = await office.keeper.pinned(digest)
        progress.matched.update(dict.fromkeys((rule.id for rule in book.rules.rules), 0))
    for mailbox in office.settings.mailboxes:
        progress.judged += await redis.hlen(key("judged", mailbox))
        progress.queued += await redis.xlen(key("events", mailbox))
        progress.queued += await redis.hlen(key("waiting", mailbox))
        progress.queued += await redis.llen(key("groups", mailbox))
    progress.pressing = await redis.zcount(key("due"), "-inf", office.clock() + LONGEST_WAIT_MS)
    for run in await redis.zrange(key("runs"), 0, -1):
        recorded = await office.journal.get(run)
        if recorded is None:
            continue
        progress.matched[recorded.run.rule] += 1
        progress.done[recorded.run.rule] += recorded.state == "done"
        progress.states[recorded.state] += 1
        for step, receipt in recorded.receipts.items():
            progress.steps[f"{recorded.run.steps[step].kind} {receipt['outcome']}"] += 1
    return progress


async def caught_up(office: Office) -> bool:
    """Whether every mailbox's history has been read to its end."""
    for mailbox in office.settings.mailboxes:
        cursor = await office.mailboxes.cursor(mailbox)
        profile = await office.provider(mailbox).profile(mailbox)
        if cursor is None or cursor.history < profile.history:
            return False
    return True
