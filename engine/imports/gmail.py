"""Gmail's exported filters (mailFilters.xml: Atom with properties of Google's own)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from xml.parsers import expat

from engine.errors import Place, RuleError
from engine.imports.filters import CATEGORIES, Filter, as_rules
from engine.imports.outcome import Imported

APPS = "http://schemas.google.com/apps/2006"
ATOM = "http://www.w3.org/2005/Atom"
MAX_BYTES = 32_000_000
MAX_DEPTH = 16
SIZES: Mapping[str, str] = {"s_sl": "larger", "s_ss": "smaller"}
UNITS: Mapping[str, str] = {"s_sb": "", "s_skb": "K", "s_smb": "M"}
ADDED: Mapping[str, str] = {
    "shouldStar": "STARRED",
    "shouldAlwaysMarkAsImportant": "IMPORTANT",
    "shouldTrash": "TRASH",
}
REMOVED: Mapping[str, str] = {
    "shouldArchive": "INBOX",
    "shouldMarkAsRead": "UNREAD",
    "shouldNeverMarkAsImportant": "IMPORTANT",
}
SILENT = frozenset(
    {"excludeChats", "size", "sizeUnit", "sizeOperator", "label", "forwardTo", "smartLabelToApply"}
)
READ = frozenset(
    {"from", "to", "subject", "hasTheWord", "doesNotHaveTheWord", "hasAttachment", "shouldNeverSpam"}
)


def import_gmail(raw: bytes, file: str) -> Imported:
    """Translate an export. Raises RuleError where it is none."""
    entries = list(read_entries(raw, file))
    if not entries:
        raise RuleError("holds no filters; export them in Gmail's settings under Filters", Place(file))
    return as_rules(map(_filter, entries), PurePosixPath(file).stem)


@dataclass
class Entry:
    """One filter's properties as they stand in the file."""

    place: Place
    properties: dict[str, str] = field(default_factory=dict)
    labels: list[str] = field(default_factory=list)


def read_entries(raw: bytes, file: str) -> Iterator[Entry]:
    """Read every entry. Raises RuleError; a document type, which could define entities, is refused."""
    if len(raw) > MAX_BYTES:
        raise RuleError(f"is larger than {MAX_BYTES:,} bytes", Place(file))
    reading = _Reading(file)
    try:
        reading.parser.Parse(raw, True)
    except expat.ExpatError as error:
        place = Place(file, error.lineno, error.offset + 1)
        raise RuleError(f"is not XML: {expat.errors.messages[error.code]}", place) from None
    yield from reading.entries


class _Reading:
    """Gathers entries while expat reads."""

    def __init__(self, file: str) -> None:
        self.entries: list[Entry] = []
        self._file, self._depth, self._open = file, 0, False
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.StartDoctypeDeclHandler = self._doctype

    def _place(self) -> Place:
        return Place(self._file, self.parser.CurrentLineNumber, self.parser.CurrentColumnNumber + 1)

    def _doctype(self, *_declared: object) -> None:
        raise RuleError("has a document type, which no export of Gmail's has", self._place())

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise RuleError(f"is nested deeper than {MAX_DEPTH} levels", self._place())
        if name == f"{ATOM} entry":
            self.entries.append(Entry(self._place()))
            self._open = True
        elif name == f"{APPS} property" and self._open:
            key, value = attributes.get("name", ""), attributes.get("value", "")
            self.entries[-1].properties[key] = value
            if key == "label":
                self.entries[-1].labels.append(value)

    def _end(self, name: str) -> None:
        self._depth -= 1
        self._open = self._open and name != f"{ATOM} entry"


def _filter(entry: Entry) -> Filter:
    given = entry.properties
    on = {name for name, value in given.items() if value.lower() == "true"}
    category = given.get("smartLabelToApply", "").removeprefix("^smartlabel_")
    add = [*entry.labels, *(label for name, label in ADDED.items() if name in on)]
    if category in CATEGORIES:
        add.append(CATEGORIES[category])
    return Filter(
        place=entry.place,
        fields={name: given.get(name, "") for name in ("from", "to", "subject")},
        words=given.get("hasTheWord", ""),
        without=given.get("doesNotHaveTheWord", ""),
        attachment="hasAttachment" in on,
        size=_size(given),
        add=tuple(add),
        remove=tuple(label for name, label in REMOVED.items() if name in on),
        never_spam="shouldNeverSpam" in on,
        forward=given.get("forwardTo", ""),
        losses=tuple(_losses(given, category)),
    )


def _size(given: Mapping[str, str]) -> str:
    """Write the size down; exports name an operator and a unit also where none was asked for."""
    number = given.get("size", "")
    compared = SIZES.get(given.get("sizeOperator", ""), "larger")
    return f"{compared}:{number}{UNITS.get(given.get('sizeUnit', ''), '')}" if number.isdigit() else ""


def _losses(given: Mapping[str, str], category: str) -> Iterator[str]:
    known = READ | SILENT | ADDED.keys() | REMOVED.keys()
    for name, value in given.items():
        if name not in known and value.lower() != "false":
            yield f"the property '{name}' is not known"
    if category and category not in CATEGORIES:
        yield f"the category '{category}' is not known"
