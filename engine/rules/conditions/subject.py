from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from engine.mail.needs import Need, Needs
from engine.rules.clues import Clues
from engine.rules.condition import Check, Condition
from engine.rules.finding import text_finder
from engine.rules.kind_clues import text_clues
from engine.rules.shown import shown
from engine.rules.sources import HeaderTexts
from engine.rules.strict import NOT_EMPTY
from engine.rules.text import TextKinds
from engine.rules.view import View


class Subject(TextKinds, Condition):
    """The subject line, decoded."""

    key = "subject"
    map_schema: ClassVar[Mapping[str, Any]] = NOT_EMPTY
    examples = (
        "subject: Your invoice",
        "subject: {starts_with: [invoice, bill]}",
        r"subject: {regex: '(?i)order\s+#?(?P<order>\d{4,10})'}",
    )

    @property
    def needs(self) -> Needs:
        return frozenset({Need.HEADERS})

    @property
    def clues(self) -> Clues | None:
        return text_clues(self, HeaderTexts("subject", only_first=True))

    def make_check(self) -> Check:
        find = text_finder(self)
        return lambda view: find(view.header("subject")[:1])

    def seen(self, view: View) -> str:
        return shown(text.raw for text in view.header("subject")[:1])
