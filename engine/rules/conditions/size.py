from __future__ import annotations

from engine.mail.needs import Need, Needs
from engine.rules.condition import Condition
from engine.rules.quantities import SizeKinds
from engine.rules.text import NONE, Captures
from engine.rules.view import View


class Size(SizeKinds, Condition):
    """The size of the whole message; MB is 10^6 bytes and MiB 2^20."""

    key = "size"
    examples = ("size: {gt: 10MB}", "size: {gte: 1MiB, lt: 25MB}")

    @property
    def needs(self) -> Needs:
        return frozenset({Need.HEADERS})

    def check(self, view: View) -> Captures | None:
        return NONE if self.holds(view.message.size) else None

    def seen(self, view: View) -> str:
        return f"{view.message.size} bytes"
