"""`GET /metrics`: what all processes counted and what waits now, in Prometheus' formats."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import CollectorRegistry

from engine import __version__
from engine.metrics import COUNTERS
from engine.store.board import Snapshot

Labels = tuple[str, ...]
Samples = Iterable[tuple[Labels, float]]


def render(snapshot: Snapshot, accept: str) -> tuple[bytes, str]:
    """The text and its content type, in the best format that `accept` names."""
    registry = CollectorRegistry()
    registry.register(_Collector(snapshot))
    encode, content_type = _encoder(accept)
    return encode(registry), content_type


def _encoder(accept: str) -> tuple[Callable[[CollectorRegistry], bytes], str]:
    """Choose a format; a header that cannot be read asks for none in particular."""
    try:
        return choose_encoder(accept)
    except (TypeError, ValueError):
        return choose_encoder("")


class _Collector:
    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def collect(self) -> Iterator[Metric]:
        yield from _counters(self._snapshot)
        yield from _lanes(self._snapshot)
        yield from _account(self._snapshot)
        yield from _whole(self._snapshot)


def _counters(snapshot: Snapshot) -> Iterator[Metric]:
    for counter in COUNTERS:
        family = CounterMetricFamily(counter.name, counter.help, labels=counter.labels)
        for (name, *values), count in snapshot.totals.items():
            # What an older or a newer version counted by other labels is left out.
            if name == counter.name and len(values) == len(counter.labels):
                family.add_metric(values, count)
        yield family


def _lanes(snapshot: Snapshot) -> Iterator[Metric]:
    lanes, calls, now = snapshot.lanes, snapshot.calls, snapshot.now
    by = ("mailbox",)

    def gauge(name: str, text: str, samples: Iterable[tuple[str, float]]) -> Metric:
        return _gauge(name, text, by, (((mailbox,), value) for mailbox, value in samples))

    yield gauge(
        "postroom_lag_seconds",
        "Age of the oldest event that is not decided; 0 when there is none.",
        [(o.mailbox, _age(o.oldest, now)) for o in lanes] + [(o.lane, _age(o.oldest, now)) for o in calls],
    )
    yield gauge(
        "postroom_queued_events",
        "Events to be decided.",
        [(o.mailbox, o.queued) for o in lanes] + [(o.lane, o.queued) for o in calls],
    )
    yield gauge(
        "postroom_waiting_events",
        "Events put aside because a part of their message could not be had.",
        ((lane.mailbox, lane.waiting) for lane in lanes),
    )
    yield gauge(
        "postroom_label_groups", "Label calls still to be made.", ((o.mailbox, o.groups) for o in lanes)
    )
    yield gauge(
        "postroom_paused",
        "1 while a mailbox is left alone; `postroom status` says why.",
        ((lane.mailbox, float(lane.pause is not None)) for lane in lanes),
    )
    yield gauge(
        "postroom_last_read_seconds",
        "Seconds since the last complete read of the history began.",
        ((lane.mailbox, _age(lane.watched.polled, now)) for lane in lanes if lane.watched.polled),
    )
    yield _gauge(
        "postroom_silence_alarm",
        "1 for each alarm; `about` is a mailbox, or the account whose webhooks are meant.",
        ("kind", "about"),
        (((alarm.kind, alarm.about), 1.0) for alarm in snapshot.alarms),
    )


def _account(snapshot: Snapshot) -> Iterator[Metric]:
    budgets, by = snapshot.budgets, ("account", "rate_class")
    yield _gauge(
        "postroom_budget_left_calls",
        "Calls that could be made at once.",
        by,
        (((one.account, one.rate_class), one.now) for one in budgets),
    )
    yield _gauge(
        "postroom_budget_today_left_calls",
        "Calls left of the share of the day (UTC), where the day is limited.",
        by,
        (((one.account, one.rate_class), one.today) for one in budgets if one.daily),
    )
    yield _gauge(
        "postroom_budget_paused_seconds",
        "For how long the service has told us to wait.",
        by,
        (((one.account, one.rate_class), one.paused) for one in budgets),
    )


def _whole(snapshot: Snapshot) -> Iterator[Metric]:
    now = snapshot.now
    figures: dict[str, tuple[str, float]] = {
        "postroom_queue_jobs": ("Jobs that are due and not taken.", snapshot.jobs),
        "postroom_queue_age_seconds": (
            "For how long the first has been due.",
            _age(snapshot.jobs_since, now),
        ),
        "postroom_runs_open": ("Runs whose steps are under way or to be tried again.", snapshot.open),
        "postroom_runs_dead": ("Runs that need a person.", snapshot.dead),
        "postroom_runs_delayed": ("Runs whose next action waits for its `after`.", snapshot.delayed),
        "postroom_timers_pending": ("Timers that are set.", snapshot.timers),
        "postroom_timers_overdue": ("Timers that should have fired some seconds ago.", snapshot.overdue),
        "postroom_approvals_waiting": ("Messages that wait for approval.", snapshot.awaiting),
        "postroom_halted": ("1 while acting is halted.", float(snapshot.halt is not None)),
        "postroom_sends_paused": (
            "1 while a person has paused sends; `postroom status` says who.",
            float(snapshot.brake is not None),
        ),
        "postroom_rules_in_force": ("1 when rules have been put in force.", float(bool(snapshot.digest))),
        "postroom_redis_memory_bytes": ("What Redis uses.", snapshot.memory),
        "postroom_redis_memory_limit_bytes": ("What it may use; 0: no limit.", snapshot.memory_limit),
    }
    for name, (text, value) in figures.items():
        yield _gauge(name, text, (), [((), value)])
    kinds = ("web", "worker")
    alive = [process for process in snapshot.processes if process.lives(now)]
    yield _gauge(
        "postroom_processes",
        "Processes that said within half a minute that they live.",
        ("kind",),
        (((kind,), sum(process.kind == kind for process in alive)) for kind in kinds),
    )
    yield _gauge(
        "postroom_rules_refused",
        "Workers whose rules on disk are not in force.",
        (),
        [((), sum(bool(process.refused) for process in alive))],
    )
    yield _gauge("postroom_build_info", "The version of this process.", ("version",), [((__version__,), 1)])


def _gauge(name: str, text: str, labels: Labels, samples: Samples) -> Metric:
    family = GaugeMetricFamily(name, text, labels=labels)
    for values, value in samples:
        family.add_metric(values, value)
    return family


def _age(since: int, now: int) -> float:
    """Seconds since a time in ms; 0 when it never was."""
    return max(now - since, 0) / 1000 if since else 0.0
