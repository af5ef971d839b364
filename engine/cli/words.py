"""Counts as people say them."""

from __future__ import annotations

from engine.backtest.plurals import plural


def many(count: int, what: str) -> str:
    """Say how many there are: `1 run`, `1,204 runs`."""
    return f"{count:,} {what if count == 1 else plural(what)}"
