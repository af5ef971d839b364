from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, model_validator

from engine.mail.needs import Need, Needs
from engine.rules import hints
from engine.rules.choices import choices
from engine.rules.condition import Condition
from engine.rules.quantities import Duration
from engine.rules.strict import NOT_EMPTY
from engine.rules.text import NONE, Captures
from engine.rules.times import DAYS, Date, Spans, Zone
from engine.rules.view import View


class Received(Condition):
    """When the receiving server took the message; all that is given must hold.

    Days and times of day are those of `timezone`, else of the mailbox's time zone in the configuration,
    else of the global one; daylight saving is followed.
    """

    key = "received"
    map_schema: ClassVar[Mapping[str, Any]] = NOT_EMPTY
    examples = (
        "received: {newer_than: 2d}",
        "received: {after: 2026-01-01, before: 2026-04-01}",
        "received: {weekday: [mon, tue, wed, thu, fri], between: 08:00-18:00, timezone: Europe/Berlin}",
    )

    after: Date | None = Field(None, description="Not before this day or time, such as 2026-03-01T09:30.")
    before: Date | None = Field(None, description="Before this day or time.")
    older_than: Duration | None = Field(None, description="Longer ago than this when it is judged.")
    newer_than: Duration | None = Field(None, description="Less long ago than this when it is judged.")
    weekday: Annotated[tuple[str, ...] | None, *choices("weekday", DAYS, hints.DAYS)] = Field(
        None, description="The day of the week, or a list of them."
    )
    between: Spans | None = Field(
        None,
        description="The time of day, such as 08:00-18:00 (up to its end) or 22:00-06:00; or a list of such.",
    )
    timezone: Zone | None = Field(None, description="A name such as Europe/Berlin.")

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if not any(getattr(self, name) is not None for name in self._kinds()):
            raise ValueError(f"asks nothing; write one of {', '.join(self._kinds())}")
        return self

    @classmethod
    def _kinds(cls) -> list[str]:
        return [name for name in cls.model_fields if name != "timezone"]

    @property
    def needs(self) -> Needs:
        return frozenset({Need.HEADERS})

    def check(self, view: View) -> Captures | None:
        moment = _moment(view)
        if moment is None:
            return None
        zone = self._zone(view)
        held = self._in_range(moment, zone) and self._of_age(moment, view.now)
        return NONE if held and self._in_week(moment.astimezone(zone)) else None

    def _zone(self, view: View) -> tzinfo:
        return self.timezone or view.home.zone

    def _in_range(self, moment: datetime, zone: tzinfo) -> bool:
        return (self.after is None or moment >= self.after.at(zone)) and (
            self.before is None or moment < self.before.at(zone)
        )

    def _of_age(self, moment: datetime, now: datetime) -> bool:
        age = now - moment
        return (self.older_than is None or age > timedelta(seconds=self.older_than.value)) and (
            self.newer_than is None or age < timedelta(seconds=self.newer_than.value)
        )

    def _in_week(self, local: datetime) -> bool:
        if self.weekday is not None and local.weekday() not in {DAYS[name] for name in self.weekday}:
            return False
        return self.between is None or any(span.covers(local) for span in self.between)

    def seen(self, view: View) -> str:
        moment = _moment(view)
        if moment is None:
            return "no time of arrival"
        zone = self._zone(view)
        told = f"{moment.astimezone(zone):%a %Y-%m-%d %H:%M:%S%z} in {zone}"
        relative = self.older_than is not None or self.newer_than is not None
        return f"{told}, judged at {view.now.astimezone(zone):%Y-%m-%d %H:%M:%S%z}" if relative else told


def _moment(view: View) -> datetime | None:
    """When it arrived; None where that is nowhere told. It comes with whatever is fetched."""
    if view.message.received is None:
        view.message.headers  # noqa: B018 - raises Missing where nothing was fetched yet
        return None
    return view.message.received.astimezone(UTC)
