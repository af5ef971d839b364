from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from engine.mail.encrypted import is_encrypted, is_signed
from engine.mail.needs import Need, Needs, union
from engine.mail.params import media_type
from engine.rules.choices import choices
from engine.rules.clues import Clue, Clues, How
from engine.rules.condition import Condition, Judge, judge_any
from engine.rules.shown import shown
from engine.rules.sources import LabelNames
from engine.rules.text import NONE, Captures
from engine.rules.view import View

FORWARD_PREFIXES = (
    "fwd:",
    "fw:",
    "wg:",
    "tr:",
    "rv:",
    "enc:",
    "i:",
    "vs:",
    "vb:",
    "doorst:",
    "转发:",
    "転送:",
)
"""How mail clients begin the subject of a forwarded message, folded."""
CALENDAR_TYPES = frozenset({"text/calendar", "application/ics"})


MARKS: Mapping[str, str] = {"unread": "UNREAD", "starred": "STARRED", "important": "IMPORTANT"}
"""The facts that a label tells, and the label."""


def _labelled(label: str) -> Callable[[View], bool]:
    return lambda view: label in view.labels


def _is_reply(view: View) -> bool:
    return bool(view.header("in-reply-to") or view.header("references"))


def _is_forward(view: View) -> bool:
    if view.header("x-forwarded-message-id"):
        return True
    return any(text.folded.lstrip().startswith(FORWARD_PREFIXES) for text in view.header("subject")[:1])


def _media_type(view: View) -> str:
    return next((media_type(text.raw) for text in view.header("content-type")), "")


def _is_encrypted(view: View) -> bool:
    return is_encrypted(view.message.headers) or view.message.encrypted


def _is_signed(view: View) -> bool:
    return is_signed(view.message.headers)


def _is_calendar(view: View) -> bool:
    """An invitation or its answer: as the message, a part of it or a file (RFC 6047, section 2.4)."""
    if _media_type(view) in CALENDAR_TYPES or _is_calendar_class(view):
        return True
    files = view.attachments()
    return not CALENDAR_TYPES.isdisjoint(view.message.types) or any(
        file.type in CALENDAR_TYPES for file in files
    )


def _is_calendar_class(view: View) -> bool:
    """Exchange names what it sends as invitations (MS-OXCMAIL, section 2.1.3.2.6)."""
    return any("calendarmessage" in text.folded for text in view.header("content-class"))


LABELS, HEADERS = frozenset({Need.LABELS}), frozenset({Need.HEADERS})

FACTS: Mapping[str, tuple[Needs, Callable[[View], bool]]] = {
    **{fact: (LABELS, _labelled(label)) for fact, label in MARKS.items()},
    "reply": (HEADERS, _is_reply),
    "forward": (HEADERS, _is_forward),
    "encrypted": (HEADERS, _is_encrypted),
    "signed": (HEADERS, _is_signed),
    "calendar": (HEADERS | {Need.ATTACHMENTS}, _is_calendar),
}


class _Fact(Condition):
    """One fact, so that each of a list is judged by itself: an unknown one hides no other."""

    key = "is"
    fact: str

    def check(self, view: View) -> Captures | None:
        return NONE if FACTS[self.fact][1](view) else None


class Is(Condition):
    """A plain fact about the message; of a list, at least one."""

    key = "is"
    bare: ClassVar[str] = "facts"
    only_bare: ClassVar[bool] = True
    examples = ("is: unread", "is: [reply, forward]")

    facts: Annotated[tuple[str, ...], *choices("fact", FACTS)] = Field(description="The facts.")

    @property
    def needs(self) -> Needs:
        return union(FACTS[fact][0] for fact in self.facts)

    @property
    def clues(self) -> Clues | None:
        if not MARKS.keys() >= set(self.facts):
            return None
        return (Clue(LabelNames(), How.IS, frozenset(MARKS[fact] for fact in self.facts)),)

    def seen(self, view: View) -> str:
        found = [fact for fact in sorted(FACTS) if FACTS[fact][0] <= self.needs and FACTS[fact][1](view)]
        return shown(found)

    def make_judge(self) -> Judge:
        members = tuple(_Fact.model_construct(fact=fact) for fact in self.facts)
        return lambda view: judge_any(members, view)
