"""Counts as people say them."""

from __future__ import annotations

import pytest

from engine.cli.words import many


@pytest.mark.parametrize(
    ("count", "what", "said"),
    [
        (0, "run", "0 runs"),
        (1, "run", "1 run"),
        (1_204, "reply", "1,204 replies"),
        (2, "address", "2 addresses"),
    ],
)
def test_one_is_one(count: int, what: str, said: str) -> None:
    assert many(count, what) == said
