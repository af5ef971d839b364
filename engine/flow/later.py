"""What a commit sets for later: timers for messages that somebody should have answered by then. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from engine.flow.plan import Judged
from engine.flow.timers import Timer
from engine.mail.events import Event, EventKind
from engine.rules.ruleset import RuleSet


def timers_for(
    received: Iterable[Event], judged: Sequence[Judged], rules: RuleSet, lane: str, now: int
) -> Iterator[Timer]:
    """Give a timer for each message received and each time after which a rule asks about it.

    It counts from the message's arrival, or from now where nobody read the message.
    """
    kinds = rules.unanswered(lane)
    if not kinds:
        return
    arrivals = {one.event.id: one.message.received for one in judged if one.message and one.message.received}
    for event in received:
        if event.kind is EventKind.MESSAGE_RECEIVED:
            came = arrivals.get(event.id)
            since = min(int(came.timestamp() * 1000), now) if came else now
            for kind in kinds:
                due = since + kind.unanswered_s * 1000
                yield Timer(due, lane, Event(kind, event.mailbox, 0, event.key))
