"""What speaks to Redis itself runs once on either kind."""

from __future__ import annotations

import pytest


@pytest.fixture(params=["embedded", "external"])
def redis_url(request: pytest.FixtureRequest) -> str:
    """The URL of a Redis: our own on its unix socket, another's over TCP."""
    url: str = request.getfixturevalue(f"{request.param}_redis_url")
    return url
