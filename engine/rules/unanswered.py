"""What every rule of `event: message.unanswered` asks first."""

from __future__ import annotations

from engine.mail.events import is_outbound
from engine.mail.needs import Need, Needs
from engine.rules.condition import Condition
from engine.rules.text import NONE, Captures
from engine.rules.view import View

NOWHERE_TO_ANSWER = frozenset({"SPAM", "TRASH"})


class Unanswered(Condition):
    """Nobody has answered the message yet, and it still waits to be: it is in neither spam nor trash."""

    key = "unanswered"

    @property
    def needs(self) -> Needs:
        return frozenset({Need.LABELS, Need.THREAD})

    def check(self, view: View) -> Captures | None:
        labels = view.message.labels
        if is_outbound(labels) or not NOWHERE_TO_ANSWER.isdisjoint(labels):
            return None
        return None if view.message.conversation.answered else NONE

    def seen(self, view: View) -> str:
        if not NOWHERE_TO_ANSWER.isdisjoint(view.message.labels):
            return "in spam or trash"
        return "answered" if view.message.conversation.answered else "not answered"

    def wanted(self) -> str:
        return "no answer by a person"


UNANSWERED = Unanswered()
