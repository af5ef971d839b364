"""What Prometheus reads of calls."""

from __future__ import annotations

from dataclasses import replace

from engine.metrics import HOOKS
from engine.store.board import Calls
from engine.web.metrics import render
from tests.web.conftest import NOTHING


def test_lanes_of_calls_and_what_became_of_calls_are_shown() -> None:
    totals: dict[tuple[str, ...], int] = {(HOOKS.name, "orders", "taken"): 7}
    snapshot = replace(NOTHING, calls=(Calls("hook.orders", 2, NOTHING.now - 1_500),), totals=totals)
    text = render(snapshot, "")[0].decode()
    assert 'postroom_queued_events{mailbox="hook.orders"} 2.0' in text
    assert 'postroom_lag_seconds{mailbox="hook.orders"} 1.5' in text
    assert 'postroom_hooks_total{hook="orders",outcome="taken"} 7.0' in text
