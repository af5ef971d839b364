"""How long something is tried before a person is asked, and how long it rests between. Pure."""

from __future__ import annotations

from engine.errors import Inactive, Unauthorized

GIVE_UP_MS = 86_400_000
SHUT_OUT_MS = 7 * GIVE_UP_MS
"""For what waits for credentials, or for its mailbox to be active: operators have weekends."""


def patience(error: Exception) -> int:
    """Milliseconds from the first failure until this error is final."""
    return SHUT_OUT_MS if isinstance(error, (Unauthorized, Inactive)) else GIVE_UP_MS


def again_at(since: int, now: int, least: int, most: int) -> int:
    """When to try again what has failed since then (epoch ms): each wait is half as long as all before it.

    By time and not by tries, since many tries only wait for their turn.
    """
    return now + min(most, max(least, (now - since) // 2))
