"""Sends at a time: when that is, and whether the service keeps the message until then, or we do."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

from engine.flow.executing import NotYetError, Work
from engine.flow.plan import Run
from engine.rules.daytimes import next_time
from engine.rules.effects import Effect, Moment, SendMessage

NEAR_MS = 60_000
"""So near a time is waited for: a service may refuse one that is past when it reads it."""


def date_of(run: Run, effect: Effect, zone: tzinfo | None) -> datetime:
    """Say when a step's message is due, the same at every attempt: once its `after` is over, or `at`."""
    decided = datetime.fromtimestamp(run.created + effect.after, UTC)
    if not isinstance(effect, SendMessage) or effect.at is None:
        return decided
    if isinstance(effect.at, Moment):
        return max(decided, datetime.fromtimestamp(effect.at.seconds, UTC))
    return next_time(effect.at, decided, zone or UTC)


async def keep_until(work: Work, effect: Effect) -> datetime | None:
    """Say until when the service is to keep a message, None where it is to go now.

    Raises NotYetError where we keep it ourselves.
    """
    if not isinstance(effect, SendMessage) or effect.at is None:
        return None
    book = await work.executing.books.pinned(work.run.digest)
    due = date_of(work.run, effect, book.rules.homes.of(work.run.mailbox).zone)
    until = int(due.timestamp() * 1000)
    left = until - work.executing.clock()
    if left <= 0:
        return None
    if work.provider.schedules and left > NEAR_MS:
        return due
    raise NotYetError(f"it is sent at {due.isoformat(timespec='minutes')}", until=until)
