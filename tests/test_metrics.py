"""Counting in memory: what is taken is counted once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine import metrics
from engine.metrics import COUNTERS, EVENTS


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    metrics.take()
    yield
    metrics.take()


def test_what_is_taken_is_not_taken_again() -> None:
    EVENTS.add("a@x.example", "message.received")
    EVENTS.each(["label.added", "message.received"], "a@x.example")
    assert metrics.take().counts == {
        (EVENTS.name, "a@x.example", "message.received"): 2,
        (EVENTS.name, "a@x.example", "label.added"): 1,
    }
    assert not metrics.take()


@pytest.mark.parametrize("counter", COUNTERS, ids=lambda counter: counter.name)
def test_names_follow_the_conventions_of_prometheus(counter: metrics.Counter) -> None:
    assert counter.name.startswith("postroom_")
    assert counter.name.endswith("_total")
    assert counter.help.endswith(".")
    assert counter.labels
