"""What happens, counted in memory; a process writes it down once a second. A leaf: every part may count.

Labels take values from the configuration, the rules and closed lists alone, so that the number of
series is bounded by what people have written down.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Counter:
    """One figure that only grows, by its labels."""

    name: str
    labels: tuple[str, ...]
    help: str
    hourly: bool = False
    """Whether it is also kept by the hour, for what `status` says of the last day."""

    def add(self, *values: str, by: int = 1) -> None:
        """Count; values in the order of `labels`."""
        series = (self.name, *values)
        _pending.counts[series] = _pending.counts.get(series, 0) + by

    def each(self, values: Iterable[str], *before: str) -> None:
        """Count one for each value of the last label."""
        for value in values:
            self.add(*before, value)


@dataclass(slots=True)
class Pending:
    """What was counted and not yet written down."""

    counts: dict[tuple[str, ...], int] = field(default_factory=dict)
    marks: dict[tuple[str, str], int] = field(default_factory=dict)
    """When something happened last (epoch ms), by what and to whom."""

    def __bool__(self) -> bool:
        return bool(self.counts or self.marks)


EVENTS = Counter("postroom_events_total", ("mailbox", "kind"), "Events read from histories.")
DECIDED = Counter("postroom_decided_total", ("mailbox",), "Events that left their lane decided.", hourly=True)
DECISIONS = Counter(
    "postroom_decisions_total",
    ("rule", "outcome"),
    "What rules came to: matched, undecided; held counts matches of which the guard kept a send back; "
    "shadow, matches of rules in shadow.",
)
APPROVALS = Counter(
    "postroom_approvals_total", ("outcome",), "Messages that a person approved or rejected, or that expired."
)
EFFECTS = Counter(
    "postroom_effects_total",
    ("kind", "outcome"),
    "Steps of runs that got a receipt: done, unchanged, held, skipped, failed.",
)
CALLS = Counter(
    "postroom_provider_calls_total",
    ("operation", "rate_class", "status"),
    "Calls to mail services, by class of status, 429 by itself, or by error where no answer came.",
)
WEBHOOKS = Counter(
    "postroom_webhooks_total",
    ("account", "outcome"),
    "Webhooks: taken, validated, ignored, malformed, forged, stale, unreadable, failed (by Redis).",
)
HOOKS = Counter(
    "postroom_hooks_total",
    ("hook", "outcome"),
    "Calls of other systems: taken, repeated, differs (a key with another body), misfit (the schema or the "
    "template asks for something else), malformed, forged, stale, unreadable, failed (by Redis).",
)
COUNTERS = (EVENTS, DECIDED, DECISIONS, APPROVALS, EFFECTS, CALLS, WEBHOOKS, HOOKS)

_pending = Pending()


def mark(what: str, whom: str) -> None:
    """Note that something happened just now."""
    _pending.marks[what, whom] = int(time.time() * 1000)


def take() -> Pending:
    """What is to be written down; counting begins anew."""
    taken = Pending(_pending.counts, _pending.marks)
    _pending.counts, _pending.marks = {}, {}
    return taken
