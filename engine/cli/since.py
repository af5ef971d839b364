"""`--since`: an age such as 30d, or a day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click

from engine.errors import SettingsError
from engine.settings import duration


def read_since(_context: click.Context, _parameter: click.Parameter, value: str | None) -> datetime | None:
    """Read --since: an age before now, else an ISO 8601 day or time; UTC unless it says otherwise."""
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except ValueError:
        pass
    try:
        return datetime.now(UTC) - timedelta(seconds=duration(value))
    except (SettingsError, OverflowError):
        wanted = "an age such as 30d nor a day such as 2026-03-01"
        raise click.BadParameter(f"'{value}' is neither {wanted}") from None
