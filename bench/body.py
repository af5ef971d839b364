"""A condition on the text of a message, for the bench: the language has none yet."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from engine.mail.needs import Need, Needs
from engine.rules.clues import Clues
from engine.rules.condition import Check, Condition
from engine.rules.finding import text_finder
from engine.rules.kind_clues import text_clues
from engine.rules.text import Text, TextKinds
from engine.rules.view import View

KEPT = " body"


def body(view: View) -> tuple[Text, ...]:
    """The text, made comparable once."""
    found: tuple[Text, ...] | None = view._cache.get(KEPT)
    if found is None:
        found = view._cache[KEPT] = (Text(view.message.text),)
    return found


@dataclass(frozen=True, slots=True)
class BodyTexts:
    """Where the index looks."""

    rank: ClassVar[int] = 2

    def texts(self, view: View) -> Iterable[Text]:
        return body(view)

    def keys(self, view: View) -> Iterable[str]:
        return [text.folded for text in body(view)]


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
        return lambda view: find(body(view))
