"""Deciding once more what was decided before writes were lost, so that it comes to the same. Pure.

The message has been acted upon since: it is judged by the labels that it arrived with. What our own label
changes left in the history is known as ours once the batch that plans them again is committed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from engine.flow.mailboxes import Cursor
from engine.flow.sift import LABELLINGS, RECEPTIONS
from engine.flow.stores import Queued
from engine.mail.events import Event
from engine.mail.message import Message

WINDOW_MS = 3 * 86_400_000
"""For so long an event that does not say how old it is may be one of before."""


def until_own_changes(queued: Sequence[Queued], doubt: int) -> list[Queued]:
    """Cut a batch before the first change of labels, up to the history id `doubt`, of what it decides."""
    decided: set[str] = set()
    for index, one in enumerate(queued):
        if one.event.kind in RECEPTIONS:
            decided.add(one.event.key)
        elif one.event.kind in LABELLINGS and one.event.history <= doubt and one.event.key in decided:
            return list(queued[:index])
    return list(queued)


def as_it_arrived(event: Event, message: Message, doubt: int) -> Message:
    """The message as the record of its arrival shows it, if that is not later than `doubt`."""
    if event.kind not in RECEPTIONS or not 0 < event.history <= doubt:
        return message
    return message.relabelled(frozenset(event.labels))


def is_in_doubt(event: Event, message: Message | None, cursor: Cursor, now: int) -> bool:
    """Say whether an event was there, and perhaps decided, before writes were lost."""
    if not cursor.doubt:
        return False
    if event.history:
        return event.history <= cursor.doubt
    if event.kind.scheduled:
        return _ms(datetime.fromisoformat(event.changed[0])) <= cursor.doubted
    if event.kind.unanswered_s and message and message.received:
        return _ms(message.received) + event.kind.unanswered_s * 1000 <= cursor.doubted
    return now <= cursor.doubted + WINDOW_MS


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
