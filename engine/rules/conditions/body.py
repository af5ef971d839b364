from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from engine.mail.needs import Need, Needs
from engine.rules.clues import Clues
from engine.rules.condition import Check, Condition
from engine.rules.finding import text_finder
from engine.rules.kind_clues import text_clues
from engine.rules.shown import shown
from engine.rules.sources import BodyTexts
from engine.rules.strict import NOT_EMPTY
from engine.rules.text import TextKinds
from engine.rules.view import View


class Body(TextKinds, Condition):
    """The text that a person reads: the plain text, else what is seen of the HTML.

    Lines end with line feeds, and blanks around the whole text do not count. Attached files are no part
    of it. Of encrypted mail it is unknown.
    """

    key = "body"
    map_schema: ClassVar[Mapping[str, Any]] = NOT_EMPTY
    examples = (
        "body: {contains: [unsubscribe, abmelden]}",
        r"body: {regex: '(?i)customer number:?\s*(?P<customer>\d{6})'}",
    )

    @property
    def needs(self) -> Needs:
        return frozenset({Need.BODY})

    @property
    def clues(self) -> Clues | None:
        return text_clues(self, BodyTexts())

    def make_check(self) -> Check:
        find = text_finder(self)
        return lambda view: find(view.body())

    def seen(self, view: View) -> str:
        return shown(text.raw for text in view.body())
