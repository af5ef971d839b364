from __future__ import annotations

from engine.mail.needs import Need, Needs
from engine.rules.condition import Condition
from engine.rules.shown import shown
from engine.rules.text import Captures, TextKinds
from engine.rules.view import View


class Subject(TextKinds, Condition):
    """The subject line, decoded."""

    key = "subject"
    examples = (
        "subject: Your invoice",
        "subject: {starts_with: [invoice, bill]}",
        r"subject: {regex: '(?i)order\s+#?(?P<order>\d{4,10})'}",
    )

    @property
    def needs(self) -> Needs:
        return frozenset({Need.HEADERS})

    def check(self, view: View) -> Captures | None:
        return self.match_any(view.header("subject")[:1])

    def seen(self, view: View) -> str:
        return shown(text.raw for text in view.header("subject")[:1])
