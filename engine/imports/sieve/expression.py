"""Patterns of Sieve as RE2: wildcards (RFC 5228, section 2.7.1) and POSIX extended regular expressions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from engine.rules.patterns import regex

_INTERVAL = re.compile(r"\{(\d{1,5})?(,)?(\d{1,5})?\}", re.ASCII)
_INNER = re.compile(r"\[([:.=])(.{1,20}?)\1\]", re.DOTALL)
_GNU = {"w": r"\w", "W": r"\W", "s": r"\s", "S": r"\S", "b": r"\b", "B": r"\B", "<": r"\b", ">": r"\b"}
"""What the C library of most servers knows beyond POSIX."""
_EDGES = {"`": r"\A", "'": r"\z"}
_LITERAL = re.compile(r"[\\.+*?()|\[\]{}^$]")


class Untranslatable(Exception):
    """RE2 has no such thing, or the pattern is wrong; the message says which."""


@dataclass(frozen=True)
class Expression:
    """A pattern in pieces; a number stands for the parenthesis that opens a group."""

    pieces: tuple[str | int, ...]
    groups: int = 0
    flags: str = "(?is)"

    def written(self, names: Mapping[int, str]) -> str:
        """Write it down, with names for the groups that are used."""
        body = "".join(_opened(piece, names) if isinstance(piece, int) else piece for piece in self.pieces)
        return f"{self.flags}(?P<{names[0]}>{body})" if 0 in names else self.flags + body


def _opened(group: int, names: Mapping[int, str]) -> str:
    return f"(?P<{names[group]}>" if group in names else "("


def escaped(text: str) -> str:
    """Write a text as a pattern that it alone fits."""
    return _LITERAL.sub(r"\\\g<0>", text)


def checked(expression: Expression) -> Expression:
    """Make sure that RE2 takes it. Raises Untranslatable."""
    try:
        regex(expression.written({}))
    except ValueError as error:
        raise Untranslatable(str(error)) from None
    return expression


def wildcards(pattern: str) -> Iterator[str]:
    """Cut a pattern of `:matches` into `*`, `?` and literal characters, of which a backslash makes more."""
    at = 0
    while at < len(pattern):
        char = pattern[at]
        if char == "\\" and at + 1 < len(pattern):
            at += 1
            yield "\\" + pattern[at]
        else:
            yield char
        at += 1


def from_wildcards(pattern: str, flags: str = "(?is)") -> Expression:
    """Translate `:matches`; a wildcard is a group that takes as little as it can (RFC 5229, 3.2)."""
    pieces: list[str | int] = [r"\A"]
    groups = 0
    for piece in wildcards(pattern):
        if piece in ("*", "?"):
            groups += 1
            pieces += [groups, ".*?)" if piece == "*" else ".)"]
        else:
            pieces.append(escaped(piece[-1]))
    return checked(Expression((*pieces, r"\z"), groups, flags))


def from_posix(pattern: str, flags: str = "(?is)") -> Expression:
    """Translate a POSIX extended regular expression. Raises Untranslatable."""
    return checked(_Translation(pattern).expression(flags))


class _Translation:
    """One pass over the pattern."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self._pieces: list[str | int] = []
        self._groups = 0
        self._open: list[int] = []
        self._atom = 0
        """Where what a repetition would repeat begins."""
        self._repeated = False

    def expression(self, flags: str) -> Expression:
        while self._at < len(self._pattern):
            self._step(self._pattern[self._at])
        return Expression(tuple(self._pieces), self._groups, flags)

    def _step(self, char: str) -> None:
        if char == "[":
            self._put(self._bracket())
        elif char == "\\":
            self._put(self._escape())
        elif char in "*+?" or (char == "{" and _INTERVAL.match(self._pattern, self._at)):
            self._repeat(char)
        elif char == "(":
            self._opens()
        elif char == ")" and self._open:
            self._at += 1
            self._atom = self._open.pop()
            self._pieces.append(")")
            self._repeated = False
        elif char in ".^$|":
            self._at += 1
            self._put(char)
        else:
            self._at += 1
            self._put(escaped(char))

    def _put(self, piece: str) -> None:
        self._atom, self._repeated = len(self._pieces), False
        self._pieces.append(piece)

    def _opens(self) -> None:
        if self._pattern.startswith("(?", self._at):
            raise Untranslatable("'(?' is not POSIX")
        self._at += 1
        self._groups += 1
        self._open.append(len(self._pieces))
        self._put_group(self._groups)

    def _put_group(self, number: int) -> None:
        self._pieces.append(number)
        self._atom, self._repeated = len(self._pieces), False

    def _repeat(self, char: str) -> None:
        found = _INTERVAL.match(self._pattern, self._at) if char == "{" else None
        self._at = found.end() if found else self._at + 1
        if found:
            char = f"{{{found[1] or 0}{found[2] or ''}{found[3] or ''}}}"
        if self._repeated:  # what was repeated already is repeated as a whole
            self._pieces.insert(self._atom, "(?:")
            self._pieces.append(")")
        self._pieces.append(char)
        self._repeated = True

    def _escape(self) -> str:
        char = self._pattern[self._at + 1 : self._at + 2]
        self._at += 2
        if not char:
            raise Untranslatable("ends in a backslash")
        if char in "123456789":
            raise Untranslatable(f"RE2 has no back-reference ('\\{char}')")
        return _GNU.get(char) or _EDGES.get(char) or escaped(char)

    def _bracket(self) -> str:
        """Read `[...]`, where a backslash is itself and a bracket that comes first closes nothing."""
        at, pattern = self._at + 1, self._pattern
        made = ["["]
        if pattern.startswith("^", at):
            made.append("^")
            at += 1
        first = at
        while at < len(pattern) and (pattern[at] != "]" or at == first):
            inner = _INNER.match(pattern, at)
            if inner:
                made.append(inner[0] if inner[1] == ":" else _element(inner[2]))
                at = inner.end()
            else:
                made.append(pattern[at] if pattern[at] == "-" else _element(pattern[at]))
                at += 1
        if at >= len(pattern):
            raise Untranslatable("a '[' is never closed")
        self._at = at + 1
        return "".join([*made, "]"])


def _element(char: str) -> str:
    if len(char) > 1:
        raise Untranslatable(f"'{char}' is no single character")
    return "\\" + char if char in "[]\\^&~-" else char
