"""Ids of imported rules."""

from __future__ import annotations

import pytest

from engine.imports.names import Ids


@pytest.mark.parametrize(
    "wish", [pytest.param("x", id="a short name"), pytest.param("a" * 50, id="a long one")]
)
def test_every_id_is_given_once(wish: str) -> None:
    ids = Ids("sieve")
    assert len({ids.take(wish) for _ in range(1_500)}) == 1_500
