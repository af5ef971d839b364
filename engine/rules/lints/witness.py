"""Small messages of which a condition holds, found by writing in what it asks for and then asking it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from math import inf

from engine.mail.message import Attachment as File
from engine.rules.addresses import AddressKinds
from engine.rules.condition import Condition
from engine.rules.conditions.attachment import Attachment
from engine.rules.conditions.automated import Automated
from engine.rules.conditions.header import Header
from engine.rules.conditions.is_ import MARKS, Is
from engine.rules.conditions.label import Label
from engine.rules.conditions.size import Size
from engine.rules.evaluation import Verdict
from engine.rules.home import SOMEWHERE, Home
from engine.rules.lints.draft import Draft
from engine.rules.lints.implies import plain
from engine.rules.lints.kinds import bounds
from engine.rules.lints.sampling import fitting, sample
from engine.rules.media import wanted_types
from engine.rules.quantities import SizeKinds
from engine.rules.strict import Strict
from engine.rules.text import TextKinds

MOST_TRIED = 8
"""Messages made up for one condition before it is given up."""

AUTOMATED: Mapping[str, tuple[str, str]] = {
    "auto_reply": ("auto-submitted", "auto-replied"),
    "bounce": ("x-failed-recipients", "x@x.example"),
    "list": ("list-id", "<x.example>"),
    "bulk": ("precedence", "bulk"),
    "calendar": ("content-type", "text/calendar"),
}
FACTS: Mapping[str, tuple[str, str]] = {
    "reply": ("in-reply-to", "<x@x.example>"),
    "forward": ("subject", "Fwd: x"),
    "encrypted": ("content-type", "multipart/encrypted"),
    "signed": ("content-type", "multipart/signed"),
    "calendar": ("content-type", "text/calendar"),
}
TEXT_FIELDS: Mapping[str, str] = {"subject": "subject", "list_id": "list-id"}


def witness(condition: Condition, start: Draft | None = None, home: Home = SOMEWHERE) -> Draft | None:
    """Make up a message of which a condition holds; None where none was found."""
    for draft in islice(_drafts(condition, True, start or Draft()), MOST_TRIED):
        if condition.judge(draft.view(home)).verdict is Verdict.MATCHED:
            return draft
    return None


def _drafts(condition: Condition, wanted: bool, draft: Draft) -> Iterator[Draft]:
    """Write in what a condition asks for, or take out what it must not find; one way after the other."""
    condition = plain(condition)
    if condition.key in ("not", "none"):
        yield from _together(condition.members, not wanted, draft, every=wanted)
    elif condition.key in ("all", "any"):
        yield from _together(condition.members, wanted, draft, every=(condition.key == "all") is wanted)
    else:
        yield _written(condition, draft) if wanted else _taken_out(condition, draft)


def _together(members: tuple[Condition, ...], wanted: bool, draft: Draft, *, every: bool) -> Iterator[Draft]:
    if not every:
        for member in members:
            yield from _drafts(member, wanted, draft)
    elif not members:
        yield draft
    else:
        for first in _drafts(members[0], wanted, draft):
            yield from _together(members[1:], wanted, first, every=True)


def _written(condition: Condition, draft: Draft) -> Draft:
    kinds: Strict = condition
    if getattr(kinds, "exists", None) is False:
        return _taken_out(condition, draft)
    if isinstance(kinds, AddressKinds):
        fields: tuple[str, ...] = getattr(kinds, "fields", ())
        return draft.with_field(fields[0], address_for(kinds)) if fields else draft
    if isinstance(kinds, Label):
        return replace(draft, labels=draft.labels | {text_for(kinds)})
    if isinstance(kinds, TextKinds):
        return _with_text(condition, text_for(kinds), draft)
    return _with_fact(condition, draft)


def _with_text(condition: Condition, text: str, draft: Draft) -> Draft:
    if condition.key == "body":
        return replace(draft, body=text)
    name = condition.name if isinstance(condition, Header) else TEXT_FIELDS.get(condition.key, "")
    return draft.with_field(name, text) if name else draft


def _with_fact(condition: Condition, draft: Draft) -> Draft:
    if isinstance(condition, Size):
        return replace(draft, size=_size_for(condition))
    if isinstance(condition, Attachment):
        return replace(draft, files=(*draft.files, _file_for(condition)))
    if isinstance(condition, Is):
        fact = condition.facts[0]
        if fact in MARKS:
            return replace(draft, labels=draft.labels | {MARKS[fact]})
        return draft.with_field(*FACTS[fact]) if fact in FACTS else draft
    if isinstance(condition, Automated) and condition.kinds is not False:
        kinds = ("auto_reply",) if isinstance(condition.kinds, bool) else condition.kinds
        return draft.with_field(*AUTOMATED[kinds[0]])
    return draft


def _taken_out(condition: Condition, draft: Draft) -> Draft:
    """Take labels and files out; what nobody wrote in is not there."""
    kinds: Strict = condition
    if isinstance(kinds, Label) and kinds.is_:
        return replace(draft, labels=draft.labels - set(kinds.is_))
    if isinstance(kinds, Is):
        return replace(draft, labels=draft.labels - {MARKS[fact] for fact in kinds.facts if fact in MARKS})
    if isinstance(kinds, Attachment):
        return replace(draft, files=())
    if isinstance(kinds, Size):
        low, high = bounds(kinds)
        return replace(draft, size=int(high) + 1 if high != inf else max(0, int(low) - 1))
    if getattr(kinds, "exists", None) is False and isinstance(kinds, TextKinds):
        return _with_text(condition, "x", draft)
    return draft


def address_for(kinds: AddressKinds) -> str:
    """Make an address that fits, with a display name where one is asked for."""
    address = next(_addresses(kinds), "x@x.example")
    name = text_for(kinds.name) if kinds.name is not None else ""
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}" <{address}>' if name else address


def _addresses(kinds: AddressKinds) -> Iterator[str]:
    for wanted in kinds.sets:
        yield from sorted(wanted.addresses)[:1]
        yield from (f"x@{domain}" for domain in sorted(wanted.domains)[:1])
        yield from (f"x@x{parent}" for parent in wanted.parents[:1])
    yield from (fitting(glob) for glob in (kinds.glob or ())[:1])
    yield from filter(None, (_as_address(sample(pattern)) for pattern in (kinds.regex or ())[:1]))


def _as_address(text: str | None) -> str | None:
    if text is None:
        return None
    if text.startswith("@"):
        return f"x{text}"
    return text if "@" in text else f"x@{text}" if "." in text else f"{text}@x.example"


def text_for(kinds: TextKinds) -> str:
    """Make a text that fits, as far as the kinds can be written one after the other."""
    if kinds.is_:
        return kinds.is_[0]
    pieces = [each[0] for each in (kinds.starts_with, kinds.contains) if each]
    pieces += [fitting(glob) for glob in (kinds.glob or ())[:1]]
    pieces += filter(None, (sample(pattern) for pattern in (kinds.regex or ())[:1]))
    pieces += [each[0] for each in (kinds.ends_with,) if each]
    return " ".join(pieces) or "x"


def _size_for(kinds: SizeKinds) -> int:
    low, high = bounds(kinds)
    return int(low if high == inf else min(low, high))


def _file_for(kinds: Attachment) -> File:
    types = sorted(wanted_types(kinds.type or ()))
    media = types[0].replace("*", "x") if types else "application/octet-stream"
    return File(
        name=text_for(kinds.name) if kinds.name is not None else "x",
        type=media,
        size=_size_for(kinds.size) if kinds.size is not None else 0,
        sniffed="",
        sha256=kinds.sha256[0] if kinds.sha256 else "",
    )
