"""The silence alarm: a mailbox, or the webhooks of an account, quiet for longer than they should be. Pure.

Times are epoch milliseconds, 0 for never. A silence is what complete reads saw: from the last movement of
the history to the beginning of the last read that found nothing. While nobody reads, nothing is known to
be silent, and the alarm is another one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
SHORTEST_MS = HOUR_MS
"""Nobody is alarmed by less."""
HABIT_DAYS = 7
"""A habit is as old as this before it counts, so that a weekend is part of it,"""
HABIT_MOVES = 3
"""and the history has moved on so many days of it."""
UNREAD_MS = 10 * 60_000
UNREAD_POLLS = 3
UNRUNG = 5
"""So many times in a row polling has found mail that nobody rang for."""
VALIDATED_EVERY_MS = 72 * HOUR_MS
"""How often Zoom validates a subscription's address (developers.zoom.us/docs/api/webhooks)."""
SLACK_MS = 24 * HOUR_MS


class Kind(StrEnum):
    """What is the matter."""

    UNREAD = "unread"
    QUIET = "quiet"
    WEBHOOKS = "webhooks"
    VALIDATION = "validation"
    SIGNATURE = "signature"


@dataclass(frozen=True, slots=True)
class Alarm:
    """One silence that a person should look at."""

    kind: Kind
    about: str
    """A mailbox, or the account whose webhooks are meant."""
    text: str


@dataclass(frozen=True, slots=True)
class Watched:
    """What is known of a mailbox's movements."""

    mailbox: str
    account: str
    interval: int = 0
    """From poll to poll in ms; 0 when webhooks alone wake it."""
    hooked: bool = False
    """Whether its account takes webhooks."""
    polled: int = 0
    """When the last complete read began."""
    moved: int = 0
    unrung: int = 0
    """How many times in a row polling found mail that nobody had rung for."""
    habit: Mapping[int, int] = field(default_factory=dict)
    """By day since the epoch, the longest silence in ms that ended on it."""


@dataclass(frozen=True, slots=True)
class Hooked:
    """When the webhooks of an account did what last."""

    account: str
    signed: int = 0
    validated: int = 0
    refused: int = 0
    """A signed request to validate the address that could not be answered."""
    unsigned: int = 0
    """A webhook whose signature was wrong or too old."""


def alarms(boxes: Sequence[Watched], hooks: Sequence[Hooked], now: int) -> list[Alarm]:
    """Every alarm there is, mailboxes first."""
    found = [alarm for box in boxes for alarm in _of_mailbox(box, now)]
    for hook in hooks:
        own = [box for box in boxes if box.account == hook.account]
        found += _of_account(hook, own, now)
    return found


def _of_mailbox(box: Watched, now: int) -> Iterator[Alarm]:
    unread = now - box.polled
    if box.polled and box.interval and unread > max(UNREAD_MS, UNREAD_POLLS * box.interval):
        yield Alarm(Kind.UNREAD, box.mailbox, f"its history has not been read for {_long(unread)}")
    silence, limit = box.polled - box.moved, patience(box.habit, now)
    if box.moved and limit and silence > limit:
        habit = _long(max(box.habit.values()))
        text = (
            f"nothing has happened in it for {_long(silence)}; the longest silence of four weeks was {habit}"
        )
        yield Alarm(Kind.QUIET, box.mailbox, text)
    if box.hooked and box.interval and box.unrung >= UNRUNG:
        text = f"{box.unrung} times in a row polling found mail that no webhook told of"
        yield Alarm(Kind.WEBHOOKS, box.mailbox, text)


def patience(habit: Mapping[int, int], now: int) -> int | None:
    """How long a silence may last in ms; None while the habit is too young to tell."""
    if len(habit) < HABIT_MOVES or now // DAY_MS - min(habit) < HABIT_DAYS:
        return None
    return max(2 * max(habit.values()), SHORTEST_MS)


def _of_account(hook: Hooked, boxes: Sequence[Watched], now: int) -> Iterator[Alarm]:
    if hook.refused > hook.validated:
        yield Alarm(Kind.VALIDATION, hook.account, "the last validation of the webhook address was refused")
    elif hook.validated and now - hook.validated > VALIDATED_EVERY_MS + SLACK_MS:
        text = f"the webhook address was last validated {_long(now - hook.validated)} ago, not within 72 h"
        yield Alarm(Kind.VALIDATION, hook.account, text)
    # Anybody can send a wrong signature: it counts when true ones fail to come as well.
    missing = any(box.unrung or not box.interval for box in boxes)
    if 0 < hook.signed < hook.unsigned and missing:
        text = f"no webhook's signature has held for {_long(now - hook.signed)}: was the secret changed?"
        yield Alarm(Kind.SIGNATURE, hook.account, text)


def _long(ms: int) -> str:
    """How long, as a person says it."""
    minutes = max(ms, 0) // 60_000
    if minutes < 120:
        return f"{minutes} min"
    hours = minutes // 60
    return f"{hours} h" if hours < 72 else f"{hours // 24} days"
