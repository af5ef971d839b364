"""What search lines ask that no condition of rules does: words and labels as Gmail finds them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import cached_property

from engine.mail.address import normal_domain, parse_address
from engine.mail.needs import Need, Needs
from engine.mail.search_match import is_person, is_user_label, label_name, phrase, words
from engine.rules.clues import Clue, Clues, How, Source
from engine.rules.condition import Condition
from engine.rules.conditions.any_ import Any
from engine.rules.shown import shown
from engine.rules.sources import BodyTexts, FileNames, HeaderTexts, Names, PeopleKeys, Spelt, Written
from engine.rules.text import NONE, Captures, Text, fold
from engine.rules.view import View

WRITERS = ("From", "To", "Cc")
_ASCII_WORD = re.compile(r"(?<![^\W_])[a-z0-9]+(?![^\W_])")
"""Words that folding and the spelling of domains leave alone."""


class _Leaf(Condition):
    """One term of a search line."""

    key = "search"
    term: str
    """As it was typed."""
    text: str = ""

    def wanted(self) -> str:
        return json.dumps(self.term, ensure_ascii=False)

    @cached_property
    def needle(self) -> str:
        return phrase(self.text)


def _within(text: str, *sources: Source) -> Clues | None:
    """Look for the longest plain word of a text in each of the sources."""
    word = max(_ASCII_WORD.findall(fold(text)), key=len, default="")
    return tuple(Clue(source, How.WITHIN, frozenset({word})) for source in sources) if word else None


def says_words(text: str) -> Condition:
    """Words in a row in the subject, the people, the names of files or the text."""
    leaves = (each.model_construct(term=text, text=text) for each in (_InHeader, _InFiles, _InBody))
    return Any.model_construct(conditions=tuple(leaves))


class _InHeader(_Leaf):
    @property
    def needs(self) -> Needs:
        return frozenset({Need.HEADERS})

    @property
    def clues(self) -> Clues | None:
        subject = HeaderTexts("subject", only_first=True)
        return _within(self.text, subject, Names(WRITERS), Written(WRITERS))

    def check(self, view: View) -> Captures | None:
        return NONE if self.needle in view.kept(" words of the header", lambda: _header(view)) else None

    def seen(self, view: View) -> str:
        return shown(_header_texts(view))


def _header(view: View) -> str:
    return words(_header_texts(view))


def _header_texts(view: View) -> list[str]:
    people = (person.address for person in view.people(WRITERS).each)
    subject = [text.raw for text in view.header("subject")[:1]]
    return subject + [f"{person.name} {person.address}".strip() for person in people]


class _InFiles(_Leaf):
    @property
    def needs(self) -> Needs:
        return frozenset({Need.ATTACHMENTS})

    @property
    def clues(self) -> Clues | None:
        return _within(self.text, FileNames())

    def check(self, view: View) -> Captures | None:
        found = view.kept(" words of files", lambda: _words_of(view.file_names()))
        return NONE if self.needle in found else None

    def seen(self, view: View) -> str:
        return shown(text.raw for text in view.file_names())


class _InBody(_Leaf):
    @property
    def needs(self) -> Needs:
        return frozenset({Need.BODY})

    @property
    def clues(self) -> Clues | None:
        return _within(self.text, BodyTexts())

    def check(self, view: View) -> Captures | None:
        return (
            NONE if self.needle in view.kept(" words of the body", lambda: _words_of(view.body())) else None
        )

    def seen(self, view: View) -> str:
        """Say how much was looked at, since a body is not shown."""
        return f"a text of {sum(len(text.raw) for text in view.body())} characters"


def _words_of(texts: Iterable[Text]) -> str:
    return words(text.raw for text in texts)


class SaysInField(_Leaf):
    """Words in a row in the subject, the List-ID or the name of a file."""

    field: str
    """subject, list-id or filename."""

    @property
    def needs(self) -> Needs:
        return frozenset({Need.ATTACHMENTS if self.field == "filename" else Need.HEADERS})

    @property
    def clues(self) -> Clues | None:
        return _within(self.text, FileNames() if self.field == "filename" else HeaderTexts(self.field))

    def check(self, view: View) -> Captures | None:
        found = view.kept(f" words of {self.field}", lambda: _words_of(self._texts(view)))
        return NONE if self.needle in found else None

    def _texts(self, view: View) -> tuple[Text, ...]:
        return view.file_names() if self.field == "filename" else view.header(self.field)

    def seen(self, view: View) -> str:
        return shown(text.raw for text in self._texts(view))


class WrittenBy(_Leaf):
    """A person in one header field: a whole address, a domain with what is below it, or words; `me` is us."""

    field: str

    @property
    def needs(self) -> Needs:
        return frozenset({Need.HEADERS})

    @property
    def clues(self) -> Clues | None:
        wanted, people = self.text.strip(), (self.field,)
        if wanted.lower() == "me":
            return None
        if wanted.startswith("@"):
            return (Clue(PeopleKeys(people), How.IS, frozenset({f"@{normal_domain(wanted[1:])}"})),)
        if "@" in wanted:
            return (Clue(PeopleKeys(people), How.IS, frozenset({parse_address(wanted).normal})),)
        return _within(wanted, Names(people), Spelt(people)) if wanted.isascii() else None

    def check(self, view: View) -> Captures | None:
        people, mailbox = view.people((self.field,)).each, view.message.mailbox
        return NONE if any(is_person(one.address, self.text, mailbox) for one in people) else None

    def seen(self, view: View) -> str:
        people = (person.address for person in view.people((self.field,)).each)
        return shown(f"{one.name} <{one.address}>".strip() for one in people)


class IsLabelled(_Leaf):
    """A label as a search writes it: case does not matter; blank, `-`, `_` and `/` are one."""

    @property
    def needs(self) -> Needs:
        return frozenset({Need.LABELS})

    def check(self, view: View) -> Captures | None:
        return NONE if label_name(self.text) in map(label_name, view.labels) else None

    def seen(self, view: View) -> str:
        return shown(sorted(view.labels))


class HasOwnLabel(_Leaf):
    """At least one label that somebody made."""

    @property
    def needs(self) -> Needs:
        return frozenset({Need.LABELS})

    def check(self, view: View) -> Captures | None:
        return NONE if any(map(is_user_label, view.labels)) else None

    def seen(self, view: View) -> str:
        return shown(sorted(view.labels))


class IsMessage(_Leaf):
    """One message by its Message-ID."""

    @property
    def needs(self) -> Needs:
        return frozenset({Need.HEADERS})

    @property
    def clues(self) -> Clues | None:
        return _within(self.text, HeaderTexts("message-id", only_first=True))

    def check(self, view: View) -> Captures | None:
        return NONE if view.message.message_id.strip("<>") == self.text else None

    def seen(self, view: View) -> str:
        return shown([view.message.message_id])
