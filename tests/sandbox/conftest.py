"""A sandbox in process, and a client whose every answer is held to the OpenAPI file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sandbox.driving import Driver, drive


@pytest.fixture
def driver() -> Iterator[Driver]:
    """A sandbox with two mailboxes and no limits."""
    made = drive(limits=False)
    yield made
    made.close()
