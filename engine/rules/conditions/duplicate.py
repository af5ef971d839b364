from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from pydantic import Field

from engine.mail.needs import Need, Needs
from engine.rules.memory import Seen, name_of
from engine.rules.memory_key import MemoryKey, sighting
from engine.rules.quantities import Duration, read_duration
from engine.rules.remembering import Remembering
from engine.rules.shown import shown
from engine.rules.strict import Flag, Words
from engine.rules.text import NONE, Captures
from engine.rules.view import View


class Duplicate(Remembering):
    """The same was seen before within a window, by this rule in this mailbox (RFC 7352).

    A message counts where the rest of the rule holds. What is not there, such as a Message-ID, is no
    duplicate of anything.
    """

    key = "duplicate"
    bare: ClassVar[str] = "by"
    examples = (
        "duplicate: message_id",
        "duplicate: {by: {header: X-Alert-Id}, within: 1h}",
        "duplicate: {by: {template: '{{ from }} {{ subject }}'}, within: 1d, last: true}",
    )

    by: MemoryKey = Field(
        description="What is the same: a fact such as message_id, {header: NAME}, or {template: TEXT}."
    )
    within: Duration = Field(
        read_duration("7d"), description="How long after the first one; 7d unless given."
    )
    last: Flag = Field(
        False, description="Whether the window begins anew with every further one, not with the first alone."
    )
    name: Words = Field("", description="A memory that rules share which give it the same name.")

    @property
    def needs(self) -> Needs:
        return frozenset({Need.HEADERS})

    def check(self, view: View) -> Captures | None:
        return NONE if self._before(view) is not None else None

    def counted(self, view: View) -> Seen | None:
        value = self.by.value(view)
        if not value or (not self.last and self._before(view) is not None):
            return None
        return Seen(self._name(view, value), sighting(view), 1, self.within.value * 1000)

    def _before(self, view: View) -> int | None:
        """When the same was seen, within the window."""
        value, (now, itself) = self.by.value(view), sighting(view)
        seen = view.recalled(self._name(view, value)) if value else ()
        window = self.within.value * 1000
        return next((at for at, which in seen if which != itself and abs(now - at) < window), None)

    def _name(self, view: View, value: str) -> str:
        return name_of("duplicate", self.name or f"rule {view.beside.rule}", self.by.spec, value)

    def seen(self, view: View) -> str:
        value, before = self.by.value(view), self._before(view)
        if not value:
            return "nothing to compare"
        told = shown([value.replace("\0", " ").strip()])
        if before is None:
            return f"{told}, not seen within {self.within.source}"
        return f"{told}, seen at {datetime.fromtimestamp(before / 1000, view.home.zone):%Y-%m-%d %H:%M:%S %Z}"
