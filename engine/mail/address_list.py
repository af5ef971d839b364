"""The structure of an address field (RFC 5322, section 3.4), in one pass over its tokens.

The standard library's reader recurses into comments, and answers differently from one patch
release of Python to the next; this one is linear and never raises.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

_ENCODED = r"=\?[^?\s]{1,80}\?[bBqQ]\?[^?\s]*+\?="
_QUOTED = r'"(?:[^"\\]|\\.)*+"'
_TOKEN = re.compile(
    rf"(?P<encoded>{_ENCODED})|(?P<quoted>{_QUOTED})|(?P<literal>\[[^\[\]\s<>@]*+\])"
    r"|(?P<special>[<>,;:@])|(?P<space>\s++)|(?P<atom>[^\s<>,;:@\"(\[]++|[\"(\[])",
    re.S,
)
_TOKEN_QUOTES_OFF = re.compile(_TOKEN.pattern.replace(rf"|(?P<quoted>{_QUOTED})", "|(?P<quoted>(?!))"), re.S)
_SPEC = r"[\w.!#$%&'*+/=?^`{|}~-]++@[\w.-]++"
_USUAL = re.compile(
    rf"""\s*+(?:(?:"([^"\\]*+)"\s*+|([^<>,;:@"(\[]*+))<({_SPEC})>|({_SPEC}))\s*+(?:,|\Z)""", re.ASCII
)
"""One address, with a name or without, up to its comma: so it is with most."""
_MARK = re.compile(r"\\.|[()]", re.S)
_ESCAPED = re.compile(r"\\(.)", re.S)


class _Token(NamedTuple):
    kind: str
    text: str


@dataclass(slots=True)
class _Entry:
    """What one comma-separated entry holds so far."""

    words: list[_Token] = field(default_factory=list)
    """Outside the angle brackets."""
    angle: list[_Token] | None = None
    """Inside the angle brackets; None when none was opened."""
    closed: bool = False
    comments: list[str] = field(default_factory=list)
    at: bool = False
    """Whether an `@` stands among the words."""
    angle_at: bool = False
    """Whether an `@` stands inside the angle brackets."""


def mailboxes(value: str) -> Iterator[tuple[str, str]]:
    """Give (name still encoded, address) of every mailbox in a raw field value.

    Words before a comma that are no address belong to the next name: `Doe, Ann <ann@x.example>`.
    """
    at = 0
    while usual := _USUAL.match(value, at):
        quoted, name, named, bare = usual.groups("")
        yield " ".join((quoted or name).split()), named or bare
        at = usual.end()
    if at < len(value):
        yield from _others(value[at:])


def _others(value: str) -> Iterator[tuple[str, str]]:
    """The same from the first entry on that is written in another way."""
    waiting: list[tuple[str, str]] = []
    for entry, comma in _entries(value):
        found = _read(entry)
        if comma and found and all("@" not in spec for _, spec in found) and entry.angle is None:
            waiting += found
            continue
        if waiting and found and entry.angle is not None:
            words = (name or spec for name, spec in waiting)
            name, spec = found[0]
            found[0] = (", ".join((*words, name)) if name else ", ".join(words), spec)
            waiting = []
        yield from waiting
        yield from found
        waiting = []
    yield from waiting


def _entries(value: str) -> Iterator[tuple[_Entry, bool]]:
    """Cut a field value into entries, each with whether a comma ends it."""
    entry = _Entry()
    for token in _tokens(value):
        mark = token.text if token.kind == "special" else ""
        if mark == "<" and entry.angle:
            yield entry, False
            entry = _Entry(angle=[])
        elif mark in (",", ";") and not _is_inside(entry):
            if entry.words or entry.comments or entry.angle is not None:
                yield entry, mark == ","
                entry = _Entry()
        elif mark == ":" and entry.angle is None and not entry.at:
            entry = _Entry()
        else:
            _put(entry, token, mark)
    yield entry, False


def _put(entry: _Entry, token: _Token, mark: str) -> None:
    inside = entry.angle if entry.angle is not None and not entry.closed else entry.words
    if token.kind == "comment":
        entry.comments.append(token.text)
    elif token.kind == "space" and inside and inside[-1].kind == "space":
        return  # a comment stood between
    elif mark == "<":
        entry.angle, entry.closed = [], False
    elif mark == ">":
        entry.closed = True
    else:
        inside.append(token)
        if inside is entry.words:
            entry.at = entry.at or mark == "@"
        else:
            entry.angle_at = entry.angle_at or mark == "@"


def _is_inside(entry: _Entry) -> bool:
    """Whether a comma belongs to the open angle brackets: before the `@`, or in a route (section 4.4)."""
    if not entry.angle or entry.closed:
        return False
    return entry.angle[0].text == "@" or not entry.angle_at


def _read(entry: _Entry) -> list[tuple[str, str]]:
    if entry.angle is None:
        return _bare(entry)
    name = _phrase(entry.words) or " ".join(entry.comments)
    specs = [group for group in _groups(entry.angle) if any(word.text == "@" for word in group)]
    spec = _spec(specs[0] if specs else entry.angle)
    return [(name, spec)] if name or spec else []


def _bare(entry: _Entry) -> list[tuple[str, str]]:
    """Read an entry without angle brackets: addresses, the words around them being a name."""
    groups = _groups(entry.words)
    specs, others = list[list[_Token]](), list[_Token]()
    for group in groups:
        if any(word.text == "@" for word in group):
            specs.append(group)
        else:
            others += [*group, _Token("space", " ")]
    name = _phrase(others) or " ".join(entry.comments)
    if specs:
        return [(name, _spec(specs[0])), *(("", _spec(more)) for more in specs[1:])]
    if len(groups) == 1 and groups[0][0].kind == "atom":
        return [(" ".join(entry.comments), _spec(groups[0]))]
    return [(name, "")] if name else []


def _groups(words: list[_Token]) -> list[list[_Token]]:
    """Part words at blanks, save those beside an `@`, or after a dot that follows one."""
    groups: list[list[_Token]] = []
    apart, at = True, False
    for number, word in enumerate(words):
        if word.kind == "space":
            after = words[number + 1].text if number + 1 < len(words) else ""
            before = words[number - 1].text if number else ""
            apart = not (before == "@" or after == "@" or (at and (before[-1:] == "." or after[:1] == ".")))
            continue
        if apart or not groups:
            groups.append([])
            at = False
        groups[-1].append(word)
        apart, at = False, at or word.text == "@"
    return groups


def _spec(tokens: list[_Token]) -> str:
    """Put an address together as written, without blanks, route and `mailto:`."""
    if all(token.kind in ("encoded", "space") for token in tokens):
        return ""
    text = "".join(token.text for token in tokens if token.kind != "space").replace("\0", "")
    if text.startswith("@") and ":" in text:
        text = text.rpartition(":")[2]
    if text[:7].lower() == "mailto:":
        text = text[7:]
    if len(text) > 2 and text[0] == text[-1] == "'":
        text = text[1:-1]
    return text


def _phrase(words: list[_Token]) -> str:
    """Put a display name together, quotes taken off."""
    texts = (_ESCAPED.sub(r"\1", word.text[1:-1]) if word.kind == "quoted" else word.text for word in words)
    return " ".join("".join(texts).split())


def _tokens(value: str) -> Iterator[_Token]:
    """Cut a field value into tokens; an unclosed quote or comment is taken for plain text."""
    at, pattern, comments = 0, _TOKEN, True
    while at < len(value):
        if value[at] == "(" and comments:
            end = _comment_end(value, at)
            comments = end > 0
            if end:
                yield _Token("comment", " ".join(value[at + 1 : end - 1].split()))
                at = end
                continue
        token = pattern.match(value, at)
        if token is None:
            at += 1
            continue
        if token[0] == '"':
            pattern = _TOKEN_QUOTES_OFF
        elif token[0] not in "([" or token.lastgroup == "literal":
            yield _Token(token.lastgroup or "atom", token[0])
        at = token.end()


def _comment_end(value: str, start: int) -> int:
    """Find where a comment with its nested ones ends, 0 if it does not."""
    depth = 0
    for mark in _MARK.finditer(value, start):
        if mark[0] == "(":
            depth += 1
        elif mark[0] == ")":
            depth -= 1
            if depth == 0:
                return mark.end()
    return 0
