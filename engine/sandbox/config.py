"""What a sandbox is told when it starts."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Rates:
    """Calls that one account may make, by rate class; the defaults are Zoom's Business plan."""

    light: int = 80
    """LIGHT calls per second."""
    medium: int = 60
    """MEDIUM calls per second."""
    heavy: int = 40
    """HEAVY calls per second."""
    heavy_daily: int = 60_000
    """HEAVY calls per UTC day."""


@dataclass(frozen=True, slots=True)
class SandboxConfig:
    """A sandbox is one account; these are its credentials, mailboxes and habits."""

    mailboxes: tuple[str, ...] = ()
    client_id: str = "sandbox"
    client_secret: str = field(default="sandbox", repr=False)
    account_id: str = "sandbox"
    webhook_url: str | None = None
    webhook_secret: str = field(default="", repr=False)
    retry_delays: tuple[float, ...] = (300.0, 1200.0, 3600.0)
    """Seconds to wait before each further try of a webhook."""
    revalidate_every: float = 72 * 3600.0
    """Seconds between two validations of the webhook's endpoint."""
    limits: bool = True
    rates: Rates = Rates()
    database: str = ":memory:"
    """A file to keep the state in; an existing one is continued."""
    history_horizon: int = 0
    """How many of a mailbox's newest history records can be reached; 0 keeps all."""
    undo_window: float = 0.0
    """Seconds that a sent message stays SCHEDULED."""
    api_url: str | None = None
    """What the token answer names as `api_url`; by default the address that was asked."""
