"""What came of mail, as its bounce tells: delivery reports (RFC 3464), complaints (RFC 5965), plain words.

Nothing here raises, whatever the bytes are, and nothing of it is to be believed: anybody can write a report.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from engine.mail.address import parse_address, parse_addresses
from engine.mail.headers import Headers, parse_headers
from engine.mail.part import MimePart, leaves
from engine.mail.text import part_text
from engine.mail.verdict import Verdict, verdict, words_of

MAX_FAILURES = 200
MAX_GROUPS = 1_000
MAX_REPORT_BYTES = 256 * 1024
"""Of all parts of one kind together."""
MAX_TEXT = 64 * 1024
"""Characters of a report's own text that are read."""
MAX_IDS = 5

_REPORTS = frozenset({"message/delivery-status", "message/global-delivery-status"})
_FEEDBACK = "message/feedback-report"
_RETURNED = frozenset(
    {
        "message/rfc822",
        "message/global",
        "text/rfc822-headers",
        "message/rfc822-headers",
        "message/global-headers",
    }
)
_BLANK = re.compile(rb"\r?\n[ \t]*\r?\n")
_RECIPIENTS = ("Original-Recipient", "Final-Recipient", "X-Actual-Recipient")
_ID_LINE = re.compile(r"^[> \t]*message-id[ \t]*:\s{0,4}(<[^<>\s]{1,400}>)", re.I | re.M)
_ADDRESS = re.compile(r"(?<![^\s<>(\[\"':;,])[^\s<>()\[\]\"':;,@]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,9}")
_FIELD_LINE = re.compile(r"[> \t]*[!-9;-~]{1,76}[ \t]*:|[> ]*[ \t]|From ")


@dataclass(frozen=True, slots=True)
class Told:
    """What a report says of one recipient."""

    addresses: frozenset[str]
    """In normal form: whom it was for, and whom it went on to."""
    verdict: Verdict
    status: str
    """Such as `5.1.1` (RFC 3463), "" where none is told."""


@dataclass(frozen=True, slots=True)
class Report:
    """A bounce, as far as it tells what came back."""

    told: tuple[Told, ...]
    ids: tuple[str, ...]
    """Message-IDs of what may be the mail that came back, likeliest first."""
    text: str
    """What a report in no known form says for people to read, folded, without the mail that it returns."""
    complains: bool = False
    """Whether it says that whoever got the mail calls it spam."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """All that it names, in normal form, each once."""
        named = (address for one in self.told for address in sorted(one.addresses))
        written = (parse_address(found).normal for found in _ADDRESS.findall(self.text))
        return tuple(islice(dict.fromkeys((*named, *islice(written, MAX_FAILURES))), 2 * MAX_FAILURES))

    def about(self, address: str) -> Told | None:
        """Say what became of mail to an address, in normal form; None where it is not named."""
        named = [one for one in self.told if address in one.addresses]
        if named:
            return max(named, key=lambda one: one.verdict)
        at = -1 if self.told or "@" not in address else _find(address, self.text)
        if at < 0:
            return None
        found, status = verdict("", "", words_of(self.text, at))
        return Told(frozenset({address}), found, status)


def read_report(root: MimePart) -> Report:
    """Read a bounce of which every part is held."""
    parts = list(leaves(root))
    feedback = [parse_headers(part.body or b"") for part in _of({_FEEDBACK}, parts)]
    complains = any(one.text("Feedback-Type").strip().lower() == "abuse" for one in feedback)
    found = _complained(feedback, parts) if complains else _told(_of(_REPORTS, parts))
    told = tuple(islice(found, MAX_FAILURES))
    text = _text(part for part in parts if part.type.startswith("text/") and part.type not in _RETURNED)
    line = _ID_LINE.search(text)
    ids = dict.fromkeys(_ids(root.headers, _of(_RETURNED, parts), line))
    above = text[: _start_of_header(text, line.start())] if line else text
    plain = "" if told or feedback else above.casefold()
    return Report(told, tuple(islice(ids, MAX_IDS)), plain, complains)


def _of(types: Container[str], parts: Iterable[MimePart]) -> Iterator[MimePart]:
    return _bounded(part for part in parts if part.type in types)


def _bounded(parts: Iterable[MimePart]) -> Iterator[MimePart]:
    """Give the first parts, and of the last one what there is room for."""
    left = MAX_REPORT_BYTES
    for part in parts:
        if left <= 0:
            break
        body = (part.body or b"")[:left]
        left -= len(body)
        yield replace(part, body=body)


def _text(parts: Iterable[MimePart]) -> str:
    """What the parts say, the first ones as far as there is room."""
    found = ""
    for part in _bounded(parts):
        if len(found) >= MAX_TEXT:
            break
        found += part_text(part)[:MAX_TEXT] + "\n"
    return found[:MAX_TEXT]


def _told(parts: Iterable[MimePart]) -> Iterator[Told]:
    """The groups of fields of reports that speak of a recipient (RFC 3464, section 2.3)."""
    groups = (group for part in parts for group in _BLANK.split(part.body or b""))
    for group in islice(groups, MAX_GROUPS):
        fields = parse_headers(group)
        addresses = frozenset(_addresses(fields))
        if addresses:
            action, diagnostic = fields.text("Action").lower(), fields.text("Diagnostic-Code")
            found, status = verdict(action, fields.text("Status"), diagnostic.casefold())
            yield Told(addresses, found, status)


def _complained(feedback: Iterable[Headers], parts: Iterable[MimePart]) -> Iterator[Told]:
    """Whoever complains (RFC 5965, section 3.2): as the report says, else the one whom the mail was to."""
    named = [parse_address(text) for fields in feedback for text in fields.texts("Original-Rcpt-To")]
    if not named:
        heads = (parse_headers(part.body or b"") for part in islice(_of(_RETURNED, parts), 1))
        copies = [text for head in heads for name in ("To", "Cc") for text in head.all(name)]
        named = list(parse_addresses(copies))
        named = named if len(named) == 1 else []
    for address in named:
        if address.local and address.domain:
            yield Told(frozenset({address.normal}), Verdict.COMPLAINT, "")


def _addresses(fields: Headers) -> Iterator[str]:
    """The addresses of a group, less their types; in a group of several recipients none is meant for sure."""
    for name in _RECIPIENTS:
        values = fields.texts(name)
        if len(set(values)) == 1:
            found = parse_address(values[0].rpartition(";")[2])
            if found.local and found.domain:
                yield found.normal


def _ids(headers: Headers, parts: Iterable[MimePart], line: re.Match[str] | None) -> Iterator[str]:
    for part in parts:
        yield from _id(parse_headers(part.body or b"").text("Message-ID"))
    if line:
        yield line[1]
    yield from _id(headers.text("In-Reply-To"))
    yield from _id(headers.text("References").rpartition("<")[2])


def _id(text: str) -> Iterator[str]:
    inner = text.strip().strip("<>")
    if inner and not re.search(r"[\s<>]", inner):
        yield f"<{inner}>"


def _start_of_header(text: str, at: int) -> int:
    """Where the header begins that has a line at `at`: the lines above it that are fields belong to it."""
    start = text.rfind("\n", 0, at) + 1
    while start:
        above = text.rfind("\n", 0, start - 1) + 1
        if not _FIELD_LINE.match(text, above, start - 1):
            break
        start = above
    return start


def _find(address: str, text: str) -> int:
    """Where an address stands by itself in a text; -1 where it does not."""
    found = re.search(rf"(?<![\w.+-]){re.escape(address)}(?![\w-]|\.\w)", text)
    return found.start() if found else -1
