"""When a rule looks through its mailboxes by itself: cron lines, in a time zone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Annotated, ClassVar

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, Field

from engine.rules.strict import Strict, Words
from engine.rules.times import Zone

FIELDS = 5
_SOME_TIME = datetime(2026, 1, 1, tzinfo=UTC)


def _cron(line: str) -> str:
    fields = line.split()
    if len(fields) != FIELDS:
        named = "minute, hour, day, month, weekday: '0 9 * * mon-fri' is at nine on working days"
        raise ValueError(f"'{line}' does not have {FIELDS} fields: {named}")
    try:
        next(CronSim(line, _SOME_TIME))
    except CronSimError as error:
        said = str(error).lower()
        raise ValueError(f"'{line}' is no cron line ({said}); write one such as '0 9 * * mon-fri'") from None
    except StopIteration:
        raise ValueError(f"'{line}' names a day that never comes") from None
    return line


class Schedule(Strict):
    """When a rule of `event: schedule` looks through its mailboxes for messages of which its `when` holds."""

    bare: ClassVar[str] = "cron"
    hints: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("at", "every", "time", "when", "line"), "write cron: '0 9 * * mon-fri'"),
        **dict.fromkeys(("zone", "tz"), "write 'timezone'"),
        **dict.fromkeys(("search", "query", "q"), "what is looked for is the rule's own: when: {query: ...}"),
    }

    cron: Annotated[Words, AfterValidator(_cron)] = Field(
        description="Minute, hour, day of the month, month and weekday, as cron reads them."
    )
    timezone: Zone | None = Field(None, description="Such as Europe/Berlin; the mailbox's unless given.")

    def latest(self, home: tzinfo, after: datetime, until: datetime) -> datetime | None:
        """Give the last time behind `after` and not behind `until`, if there is one."""
        return _latest(self.cron, self.timezone or home, after, until.replace(second=0, microsecond=0))

    def upcoming(self, home: tzinfo, after: datetime) -> datetime:
        """Give the next time behind `after`."""
        return next(CronSim(self.cron, after.astimezone(self.timezone or home))).astimezone(UTC)


@lru_cache(maxsize=4096)
def _latest(cron: str, zone: tzinfo, after: datetime, until: datetime) -> datetime | None:
    """Remembered, since it is asked for once a second and changes once a minute at most."""
    found = None
    for each in CronSim(cron, after.astimezone(zone)):
        if each > until:
            return found
        found = each.astimezone(UTC)
    return found
