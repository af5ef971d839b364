"""What of a message may stay: the words of the rules, where one of their conditions compared them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from engine.mail.address import parse_addresses
from engine.record.words import Span
from engine.rules.addresses import AddressKinds
from engine.rules.condition import walk
from engine.rules.conditions.attachment import Attachment
from engine.rules.conditions.header import Header
from engine.rules.patterns import Pattern
from engine.rules.people import Person
from engine.rules.ruleset import RuleSet
from engine.rules.sources import BodyTexts, FileNames, HeaderTexts
from engine.rules.strict import Strict
from engine.rules.text import Text, TextKinds, fold

MOST = 100
"""Places in one text that one pattern keeps."""
FIELDS = {"subject": "subject", "list_id": "list-id"}
_GROUP_NAMES = re.compile(r"\(\?P?<\w+>|\(\?[A-Za-z-]*[:)]")
_CLASSES = re.compile(r"\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]|\\[pP](?:\{\^?\w+\}|\w)|\\[A-Za-z]")
_OPTIONAL = re.compile(r"\\?.(?:[?*]|\{0)")
_WORDS = re.compile(r"[^\W_]+")
_WILD = re.compile(r"(?<!\\)[*?]")


@dataclass(frozen=True, slots=True)
class Keep:
    """A text that a condition compared, and what of it stands in the rules; all of it where none is named."""

    whole: str
    parts: tuple[str, ...] = ()
    alone: bool = False
    """Whether it stays only where it is a word of its own."""

    def spans(self, text: str) -> Iterator[Span]:
        """Find it in a text as it was written, however its lines are folded."""
        for found in islice(_finder(self.whole, alone=self.alone).finditer(text), MOST):
            if not self.parts:
                yield found.span()
            for part in self.parts:
                for inner in _finder(part).finditer(text, *found.span()):
                    yield inner.span()


def _finder(text: str, *, alone: bool = False) -> re.Pattern[str]:
    edges = (r"(?<![^\W_])", r"(?![^\W_])") if alone else ("", "")
    return re.compile(r"\s+".join(map(re.escape, text.split())).join(edges) or r"(?!)", re.IGNORECASE)


class Kept:
    """The words of a rule set, by where its conditions look for them."""

    def __init__(self, ruleset: RuleSet | None = None, servers: Iterable[str] = ()) -> None:
        """Take also the names by which servers sign what they found."""
        self._fields: dict[str, list[TextKinds]] = defaultdict(list)
        self._people: dict[str, list[AddressKinds]] = defaultdict(list)
        self._body: list[TextKinds] = []
        self._files: list[TextKinds] = []
        self._servers = tuple(Keep(name) for name in servers)
        for rule in ruleset.rules if ruleset else ():
            for node in walk(rule.when):
                self._take(node)

    def _take(self, node: Strict) -> None:
        key: str = getattr(node, "key", "")
        if key == "search":
            self._take_term(node)
        elif isinstance(node, AddressKinds):
            for field in getattr(node, "fields", ()):
                self._people[field.lower()].append(node)
        elif isinstance(node, Attachment):
            self._files += [node.name] if node.name else []
        elif isinstance(node, TextKinds) and key == "body":
            self._body.append(node)
        elif isinstance(node, TextKinds):
            name = node.name.lower() if isinstance(node, Header) else FIELDS.get(key, "")
            self._fields[name].append(node)

    def _take_term(self, term: Strict) -> None:
        """Take the words of a search term; its clues say where it looks."""
        kinds = TextKinds.model_construct(contains=tuple(_WORDS.findall(getattr(term, "text", ""))))
        for clue in getattr(term, "clues", None) or ():
            source = clue.source
            if isinstance(source, BodyTexts):
                self._body.append(kinds)
            elif isinstance(source, FileNames):
                self._files.append(kinds)
            elif isinstance(source, HeaderTexts):
                self._fields[source.name].append(kinds)
            else:
                for field in getattr(source, "fields", ()):
                    self._fields[field.lower()].append(kinds)

    def in_field(self, name: str, value: str, raw: str) -> list[Keep]:
        """Say what of a header field stays, as decoded and as it stands there."""
        texts = [value, value.rpartition("<")[2].partition(">")[0]] if name == "list-id" else [value]
        asked = self._fields.get(name, ())
        found = [keep for kinds in asked for text in texts for keep in _of_text(kinds, text)]
        people = self._people.get(name, ())
        for address in parse_addresses([raw]) if people else ():
            person = Person(address)
            found += [keep for kinds in people for keep in _of_person(kinds, person)]
        return [*found, *(self._servers if name.endswith("authentication-results") else ())]

    def in_body(self, text: str) -> list[Keep]:
        return [keep for kinds in self._body for keep in _of_text(kinds, text)]

    def in_file_name(self, name: str) -> list[Keep]:
        return [keep for kinds in self._files for keep in _of_text(kinds, name)]


def _of_text(kinds: TextKinds, raw: str) -> Iterator[Keep]:
    text = Text(raw)
    folded = text.folded
    if any(fold(each) == folded for each in kinds.is_ or ()):
        yield Keep(raw)
    literals = [*(kinds.contains or ()), *(kinds.starts_with or ()), *(kinds.ends_with or ())]
    yield from (Keep(each) for each in literals if fold(each) in folded)
    if kinds.glob and TextKinds.model_construct(glob=kinds.glob).match(text) is not None:
        yield from (Keep(run) for glob in kinds.glob for run in _runs(glob) if fold(run) in folded)
    for pattern in kinds.regex or ():
        yield from _of_pattern(pattern, text)


def _of_person(kinds: AddressKinds, person: Person) -> Iterator[Keep]:
    written = person.address.address
    domain = written.rpartition("@")[2]
    for wanted in kinds.sets:
        if person.normal in wanted.addresses:
            yield Keep(written)
        elif person.domain in wanted.domains:
            yield Keep(written, (domain,))
        for parent in wanted.parents:
            if person.domain.endswith(parent):
                yield Keep(written, (domain[1 - len(parent) :] if domain.isascii() else domain,))
    if kinds.glob and AddressKinds.model_construct(glob=kinds.glob).match(person) is not None:
        runs = tuple(run for glob in kinds.glob for run in _runs(glob) if fold(run) in fold(written))
        yield from [Keep(written, runs)] if runs else []
    for pattern in kinds.regex or ():
        yield from _of_pattern(pattern, person.written)
    if kinds.name:
        yield from _of_text(kinds.name, person.address.name)


def _of_pattern(pattern: Pattern, text: Text) -> Iterator[Keep]:
    """Of what a pattern finds, keep the words that it spells."""
    words = literal_words(pattern.expression)
    for found in islice(pattern.compiled.finditer(text.exact_bytes), MOST):
        whole = found.group().decode(errors="replace")
        parts = tuple(word for word in words if word.casefold() in whole.casefold())
        if parts:
            yield Keep(whole, parts)


def literal_words(expression: str) -> tuple[str, ...]:
    """Give the words that a pattern spells out, without what it only may have."""
    bare = _CLASSES.sub("\0", _GROUP_NAMES.sub("\0", expression))
    spelt = {*_WORDS.findall(_OPTIONAL.sub("\0", bare)), *_WORDS.findall(bare.replace("?", ""))}
    return tuple(sorted(spelt - {""}))


def _runs(glob: Pattern) -> list[str]:
    return [run for run in (piece.replace("\\", "") for piece in _WILD.split(glob.source)) if run]
