"""What a rule in shadow would have done, and what live rules did with the same messages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from engine.errors import ConditionError, MessageGone
from engine.flow.guard import held, once_key
from engine.flow.listing import patiently
from engine.flow.plan import Run
from engine.flow.ports import Provider
from engine.mail.address import parse_address
from engine.mail.compose import answer_to
from engine.mail.events import EventKind
from engine.mail.message import Message
from engine.mail.needs import Need
from engine.rules.effects import SendMessage

READS_AT_ONCE = 8
MOST_READ = 500
"""Of messages that would have been answered, so many are read to tell who that is: the newest."""
TOO_SOON = "this correspondent would have been answered by this rule within its window"
GONE = "the message is gone"


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail that would have been sent, or why not."""

    to: tuple[str, ...] = ()
    """Addresses in normal form."""
    held: str = ""


@dataclass(frozen=True, slots=True)
class Shadowed:
    """One match of a rule in shadow."""

    run: Run
    beside: tuple[Run, ...]
    """What live rules did with the same event."""
    mails: tuple[Mail, ...] = ()
    unread: int = 0
    """Mails of which nobody looked to whom they would go."""


@dataclass
class _Answers:
    """Who would have been answered when, message by message."""

    until: dict[str, float] = field(default_factory=dict)

    def mail(self, run: Run, effect: SendMessage, message: Message | None, own: frozenset[str]) -> Mail:
        if message is None:
            return Mail(held=GONE)
        try:
            if why := held(effect, message, own, EventKind(run.origin or run.kind)):
                return Mail(held=why)
            if self._too_soon(run, effect, message):
                return Mail(held=TOO_SOON)
        except ConditionError as error:
            return Mail(held=f"whether it may be answered cannot be told: {error}")
        answered = answer_to(message) if effect.reply else None
        return Mail((answered.normal,) if answered else tuple(parse_address(one).normal for one in effect.to))

    def _too_soon(self, run: Run, effect: SendMessage, message: Message) -> bool:
        if not effect.once_per:
            return False
        key = once_key(run.mailbox, run.rule, effect, message)
        if self.until.get(key, 0) > run.created:
            return True
        self.until[key] = run.created + effect.once_per.seconds
        return False


async def shadowed(
    runs: Sequence[Run],
    live: Iterable[Run],
    provider: Callable[[str], Provider],
    own: frozenset[str],
) -> list[Shadowed]:
    """Say of each match of a rule in shadow, the oldest first, what would have come of it.

    `live` are runs of live rules at that time; `own` our addresses in normal form. The guard's budgets and
    brake are not asked: they are of the moment.
    """
    beside: dict[str, list[Run]] = {}
    for run in live:
        beside.setdefault(run.event, []).append(run)
    runs = sorted(runs, key=lambda run: (run.created, run.key))
    sending = [run for run in runs if any(True for _ in _sends(run))][-MOST_READ:]
    messages = await _read(sending, provider)
    answers = _Answers()
    found = []
    for run in runs:
        known = run.id in messages
        mails = [answers.mail(run, one, messages[run.id], own) for one in _sends(run)] if known else []
        unread = 0 if known else len(list(_sends(run)))
        found.append(Shadowed(run, tuple(beside.get(run.event, ())), tuple(mails), unread))
    return found


def _sends(run: Run) -> Iterator[SendMessage]:
    return (step for step in run.steps if isinstance(step, SendMessage))


async def _read(runs: Sequence[Run], provider: Callable[[str], Provider]) -> dict[str, Message | None]:
    """Read the header of each run's message; None where it is gone."""
    left, found = iter(runs), dict[str, Message | None]()

    async def lane() -> None:
        for run in left:
            needs = frozenset({Need.HEADERS, Need.LABELS})
            try:
                fetch = partial(provider(run.mailbox).fetch, run.mailbox, run.key, needs)
                found[run.id] = await patiently(fetch)
            except MessageGone:
                found[run.id] = None

    await asyncio.gather(*(lane() for _ in range(min(READS_AT_ONCE, len(runs)))))
    return found
