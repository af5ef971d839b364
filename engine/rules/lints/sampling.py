"""Short texts that patterns match: the material of messages that prove a finding."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import re2

from engine.rules.patterns import Pattern
from engine.rules.text import to_bytes

MAX_SAMPLE = 2_000
"""Characters of a sample; longer ones are not made."""
MAX_DEPTH = 50
SIGNS = "x1 X-._@/:#,;0aA!?é"
"""What is tried for a class of characters, in this order."""

_GROUP = re.compile(r"\((?:\?(?:P?<\w+>|[a-zA-Z-]*:))?")
_FLAGS = re.compile(r"\(\?[a-zA-Z-]+\)")
_REPEAT = re.compile(r"(?:([*+?])|\{(\d{1,4})(?:,\d{0,4})?\})\??")
_CLASS = re.compile(r"\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]", re.DOTALL)
_ESCAPE = re.compile(
    r"\\(?:Q(?P<quoted>.*?)(?:\\E|\Z)|x\{[0-9A-Fa-f]+\}|x[0-9A-Fa-f]{2}|[pP]\{\^?\w+\}|[pP]\w|.)", re.DOTALL
)
_EMPTY = frozenset({r"\b", r"\B", r"\A", r"\z", "^", "$"})


class _UnknownError(Exception):
    """A construct that is not read."""


@dataclass
class _Reader:
    pattern: str
    at: int = 0
    depth: int = field(default=0)

    def alternatives(self) -> str:
        """Read up to the end of a group; the first alternative is taken."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise _UnknownError
        first = self._sequence()
        while self.pattern.startswith("|", self.at):
            self.at += 1
            self._sequence()
        self.depth -= 1
        return first

    def _sequence(self) -> str:
        pieces: list[str] = []
        while self.at < len(self.pattern) and self.pattern[self.at] not in "|)":
            pieces.append(self._repeated(self._atom()))
            if sum(map(len, pieces)) > MAX_SAMPLE:
                raise _UnknownError
        return "".join(pieces)

    def _repeated(self, piece: str) -> str:
        """Take as few repetitions as will do."""
        while found := _REPEAT.match(self.pattern, self.at):
            self.at = found.end()
            times = int(found[2]) if found[2] else 1 if found[1] == "+" else 0
            if len(piece) * times > MAX_SAMPLE:
                raise _UnknownError
            piece *= times
        return piece

    def _atom(self) -> str:
        for expression, read in ((_FLAGS, _nothing), (_CLASS, _sign_of), (_ESCAPE, _escaped)):
            if found := expression.match(self.pattern, self.at):
                self.at = found.end()
                return read(found)
        if found := _GROUP.match(self.pattern, self.at):
            self.at = found.end()
            inside = self.alternatives()
            self.at += 1
            return inside
        sign = self.pattern[self.at]
        self.at += 1
        return "" if sign in _EMPTY else SIGNS[0] if sign == "." else sign


def _nothing(found: re.Match[str]) -> str:
    return ""


def _escaped(found: re.Match[str]) -> str:
    quoted: str | None = found["quoted"]
    if quoted is not None:
        return quoted
    if found[0] in _EMPTY:
        return ""
    text: str = found[0]
    return _sign_of(found) if text[1:2].isalnum() else text[1:]


def _sign_of(found: re.Match[str]) -> str:
    """Find a character of a class by asking RE2."""
    text: str = found[0]
    compiled = Pattern(text, text).compiled
    signs: list[str] = [*SIGNS, *filter(str.isalnum, text), "\t", "\n"]
    for sign in signs:
        if compiled.fullmatch(sign.encode()):
            return sign
    raise _UnknownError


def sample(pattern: Pattern) -> str | None:
    """Make a text in which a regex is found, as short as its repetitions allow; None if that fails."""
    reader = _Reader(pattern.expression)
    try:
        text = reader.alternatives()
    except (_UnknownError, re2.error, IndexError):
        return None
    return (
        text if reader.at >= len(pattern.expression) and pattern.search(to_bytes(text)) is not None else None
    )


def fitting(glob: Pattern) -> str:
    """Make a text that a glob fits."""
    pieces = re.findall(r"\\[*?\\]|.", glob.source, flags=re.DOTALL)
    return "".join(SIGNS[0] if piece in ("*", "?") else piece[-1] for piece in pieces)
