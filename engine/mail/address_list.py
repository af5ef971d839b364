"""The structure of an address field (RFC 5322, section 3.4), in one pass over its tokens.

The standard library's reader recurses into comments, and answers differently from one patch
release of Python to the next; this one is linear and never raises.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_ENCODED = r"=\?[^?\s]{1,80}\?[bBqQ]\?[^?\s]*+\?="
_QUOTED = r'"(?:[^"\\]|\\.)*+"'
_TOKEN = re.compile(
    rf"(?P<encoded>{_ENCODED})|(?P<quoted>{_QUOTED})|(?P<literal>\[[^\[\]\s<>@]*+\])"
    r"|(?P<special>[<>,;:@])|(?P<space>\s++)|(?P<atom>[^\s<>,;:@\"(\[]++|[\"(\[])",
    re.S,
)
_TOKEN_QUOTES_OFF = re.compile(_TOKEN.pattern.replace(rf"|(?P<quoted>{_QUOTED})", "|(?P<quoted>(?!))"), re.S)
_PAREN = re.compile(r"[()\\]")
_ESCAPED = re.compile(r"\\(.)", re.S)


@dataclass(frozen=True, slots=True)
class _Token:
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


def mailboxes(value: str) -> Iterator[tuple[str, str]]:
    """Give (name still encoded, address) of every mailbox in a raw field value."""
    entry = _Entry()
    for token in _tokens(value):
        mark = token.text if token.kind == "special" else ""
        if mark == "<" and entry.angle:
            yield from _read(entry)
            entry = _Entry(angle=[])
        elif mark in (",", ";") and not _in_route(entry):
            yield from _read(entry)
            entry = _Entry()
        elif mark == ":" and entry.angle is None and not entry.at:
            entry = _Entry()
        else:
            _put(entry, token, mark)
    yield from _read(entry)


def _put(entry: _Entry, token: _Token, mark: str) -> None:
    if token.kind == "comment":
        entry.comments.append(token.text)
    elif mark == "<":
        entry.angle, entry.closed = [], False
    elif mark == ">":
        entry.closed = True
    elif entry.angle is not None and not entry.closed:
        entry.angle.append(token)
    else:
        entry.words.append(token)
        entry.at = entry.at or mark == "@"


def _in_route(entry: _Entry) -> bool:
    """Whether a comma parts the hosts of an obsolete route `<@a,@b:user@host>` (section 4.4)."""
    return bool(entry.angle and not entry.closed and entry.angle[0].text == "@")


def _read(entry: _Entry) -> Iterator[tuple[str, str]]:
    if entry.angle is not None:
        name = _phrase(entry.words) or " ".join(entry.comments)
        spec = _spec(entry.angle)
        if name or spec:
            yield name, spec
        return
    yield from _bare(entry)


def _bare(entry: _Entry) -> Iterator[tuple[str, str]]:
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
        yield name, _spec(specs[0])
        for more in specs[1:]:
            yield "", _spec(more)
    elif len(groups) == 1 and groups[0][0].kind == "atom":
        yield " ".join(entry.comments), _spec(groups[0])
    elif name:
        yield name, ""


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
    if any(token.kind == "encoded" for token in tokens):
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
    depth, at = 0, start
    while mark := _PAREN.search(value, at):
        at = mark.end()
        if mark[0] == "\\":
            at += 1
        else:
            depth += 1 if mark[0] == "(" else -1
            if depth == 0:
                return at
    return 0
