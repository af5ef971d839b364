"""What the configuration tells the rules of each mailbox."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from engine.rules.home import Home, Homes
from engine.rules.text import fold
from engine.settings.model import Settings


def homes_of(settings: Settings) -> Homes:
    """Give each mailbox its own time zone, else the global one, and its server's names."""
    each = {
        fold(name): Home(
            ZoneInfo(own.timezone or settings.timezone),
            frozenset(server.lower() for server in own.authserv_id),
        )
        for name, own in settings.mailboxes.items()
    }
    return Homes(each, Home(settings.zone))
