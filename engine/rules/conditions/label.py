from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from engine.mail.needs import Need, Needs
from engine.rules.clues import Clue, Clues, How
from engine.rules.condition import Check, Condition
from engine.rules.shown import shown
from engine.rules.sources import LabelNames
from engine.rules.strict import NOT_EMPTY
from engine.rules.text import NONE, TextKinds, nfc
from engine.rules.view import View


class Label(TextKinds, Condition):
    """A label on the message, by its full path; case matters. Earlier rules' labels count.

    Mail in spam reaches only rules in which such a condition names SPAM.
    """

    key = "label"
    map_schema: ClassVar[Mapping[str, Any]] = NOT_EMPTY
    exact: ClassVar[bool] = True
    examples = ("label: Finance/Invoices", "label: [INBOX, SPAM]", "label: {starts_with: Finance/}")

    @property
    def needs(self) -> Needs:
        return frozenset({Need.LABELS})

    @property
    def clues(self) -> Clues | None:
        if self.is_ is None:
            return None
        return (Clue(LabelNames(), How.IS, frozenset(map(nfc, self.is_))),)

    @property
    def names_spam(self) -> bool:
        return "SPAM" in (self.is_ or ())

    def make_check(self) -> Check:
        if self.model_fields_set != {"is_"}:
            return lambda view: self.match_any(view.label_texts())
        wanted = frozenset(map(nfc, self.is_ or ()))
        return lambda view: None if wanted.isdisjoint(map(nfc, view.labels)) else NONE

    def seen(self, view: View) -> str:
        return shown(sorted(view.labels))
