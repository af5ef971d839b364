"""What was decided and set off lately, by mailbox; read for a person, not for every scrape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.metrics import DECIDED
from engine.store.base import Base
from engine.store.figures import Figures

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Lately:
    """One mailbox's last 24 hours, and what is under way."""

    decided: int
    """Events decided, as the processes counted them by the hour."""
    runs: int
    """Runs that were begun."""
    open: int
    dead: int


async def read_lately(base: Base, mailboxes: Sequence[str], now: int) -> dict[str, Lately]:
    """By mailbox."""
    counted = await Figures(base).of_last_day(now)
    async with base.redis.pipeline(transaction=False) as pipe:
        for mailbox in mailboxes:
            own = base.key("runs:mailbox", mailbox)
            pipe.zcount(own, now - DAY_MS, "+inf")
            pipe.zinter([own, base.key("due")])
            pipe.zinter([own, base.key("dead")])
        read = await pipe.execute()
    return {
        mailbox: Lately(
            counted.get((DECIDED.name, mailbox), 0),
            read[3 * index],
            len(read[3 * index + 1]),
            len(read[3 * index + 2]),
        )
        for index, mailbox in enumerate(mailboxes)
    }
