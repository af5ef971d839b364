"""The parts of a message in which the index over rules looks for clues."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from engine.rules.text import Text, nfc
from engine.rules.view import View

MAX_DOMAIN = 255
"""Characters of a domain whose parent domains are looked up (RFC 1035, section 3.1)."""


@dataclass(frozen=True, slots=True)
class HeaderTexts:
    """The values of one header field, by its name in lower case; of some, only the first counts."""

    rank: ClassVar[int] = 0
    name: str
    only_first: bool = False

    def texts(self, view: View) -> tuple[Text, ...]:
        found = view.header(self.name)
        return found[:1] if self.only_first else found

    def keys(self, view: View) -> Iterable[str]:
        found = self.texts(view)
        return [text.folded for text in found] if found else ()


@dataclass(frozen=True, slots=True)
class PeopleKeys:
    """The addresses of some header fields, and their domains as `@x.example`."""

    rank: ClassVar[int] = 0
    fields: tuple[str, ...]

    def texts(self, view: View) -> tuple[Text, ...]:
        return ()

    def keys(self, view: View) -> Iterable[str]:
        return view.people(self.fields).keys


@dataclass(frozen=True, slots=True)
class ParentDomains:
    """What stands above the domains of some header fields: `.x.example` and `.example` for a.x.example."""

    rank: ClassVar[int] = 1
    fields: tuple[str, ...]

    def texts(self, view: View) -> tuple[Text, ...]:
        return ()

    def keys(self, view: View) -> Iterator[str]:
        for domain in view.people(self.fields).domains:
            at = domain.rfind(".")
            while at >= 0 and len(domain) - at <= MAX_DOMAIN:
                yield domain[at:]
                at = domain.rfind(".", 0, at)


@dataclass(frozen=True, slots=True)
class _PeopleTexts:
    rank: ClassVar[int] = 0
    fields: tuple[str, ...]

    def texts(self, view: View) -> Iterable[Text]:
        raise NotImplementedError

    def keys(self, view: View) -> Iterable[str]:
        return [text.folded for text in self.texts(view)]


class Names(_PeopleTexts):
    """The display names of some header fields."""

    def texts(self, view: View) -> Iterable[Text]:
        return [person.name for person in view.people(self.fields).each]


class Written(_PeopleTexts):
    """The addresses of some header fields as written."""

    def texts(self, view: View) -> Iterable[Text]:
        return [person.written for person in view.people(self.fields).each]


class Spelt(_PeopleTexts):
    """The addresses of some header fields as they compare, in both spellings of their domains."""

    def texts(self, view: View) -> Iterable[Text]:
        people = view.people(self.fields).each
        return [text for person in people for text in person.spellings]


@dataclass(frozen=True, slots=True)
class LabelNames:
    """The labels; the index looks again when a rule plans new ones."""

    rank: ClassVar[int] = 5

    def texts(self, view: View) -> tuple[Text, ...]:
        return ()

    def keys(self, view: View) -> Iterable[str]:
        return map(nfc, view.labels)


@dataclass(frozen=True, slots=True)
class AutomatedKinds:
    """The kinds of automated mail that a message is."""

    rank: ClassVar[int] = 5

    def texts(self, view: View) -> tuple[Text, ...]:
        return ()

    def keys(self, view: View) -> Iterable[str]:
        return view.automated()


@dataclass(frozen=True, slots=True)
class FileNames:
    """The names of the attachments."""

    rank: ClassVar[int] = 0

    def texts(self, view: View) -> Iterable[Text]:
        return view.file_names()

    def keys(self, view: View) -> Iterable[str]:
        return [text.folded for text in view.file_names()]


@dataclass(frozen=True, slots=True)
class BodyTexts:
    """The text of the message: the dearest to search."""

    rank: ClassVar[int] = 2

    def texts(self, view: View) -> Iterable[Text]:
        return view.body()

    def keys(self, view: View) -> Iterable[str]:
        return [text.folded for text in view.body()]
