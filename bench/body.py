"""A condition on the text of a message, for the bench: the language has none yet."""

from __future__ import annotations

from engine.mail.needs import Need, Needs
from engine.rules.clues import Clues
from engine.rules.condition import Check, Condition
from engine.rules.finding import text_finder
from engine.rules.kind_clues import text_clues
from engine.rules.sources import BodyTexts
from engine.rules.text import TextKinds


class Body(TextKinds, Condition):
    """The text of the message."""

    key = "body"
    examples = ("body: {contains: unsubscribe}",)

    @property
    def needs(self) -> Needs:
        return frozenset({Need.BODY})

    @property
    def clues(self) -> Clues | None:
        return text_clues(self, BodyTexts())

    def make_check(self) -> Check:
        find = text_finder(self)
        return lambda view: find(view.body())
