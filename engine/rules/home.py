"""What rules may ask of the mailbox itself: what its configuration says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo

from engine.rules.reach import UNKNOWN, Reach
from engine.rules.text import fold


@dataclass(frozen=True, slots=True)
class Home:
    """One mailbox, as it is configured."""

    zone: tzinfo = UTC
    """In which times of rules and messages are read."""
    authserv_ids: frozenset[str] = frozenset()
    """Names in lower case by which its server signs Authentication-Results (RFC 8601, section 2.2)."""
    sends: bool = False
    """Whether other systems may have mail sent from it."""


@dataclass(frozen=True)
class Homes:
    """Every mailbox that says something of its own, and what holds for all others."""

    each: Mapping[str, Home] = field(default_factory=dict)
    """By address, folded."""
    other: Home = Home()
    reach: Reach = UNKNOWN
    """What rules may reach beyond their mailbox."""

    def of(self, mailbox: str) -> Home:
        return self.each.get(fold(mailbox), self.other) if self.each else self.other


SOMEWHERE = Home()
NOWHERE = Homes()
