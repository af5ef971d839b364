"""The words of a Sieve script (RFC 5228, sections 2.1 to 2.4 and 8.1), in one pass over it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from engine.errors import Place, RuleError

MAX_SCRIPT = 1_048_576
"""Characters of a script; servers take as much."""


class Kind(StrEnum):
    """What a token is."""

    WORD = "a command"
    TAG = "a tag"
    NUMBER = "a number"
    TEXT = "a text"
    SIGN = "a sign"
    END = "the end of the script"


class Token(NamedTuple):
    """One word; of a text, what stands between its quotes, unescaped."""

    kind: Kind
    text: str
    line: int
    column: int
    comment: str = ""
    """The last line of comment right before it."""


_TOKEN = re.compile(
    r"""
    (?P<blank>[ \t\r\n]++)
    | \#(?P<hash>[^\n]*+)
    | /\*(?P<long>(?:[^*]++|\*(?!/))*+)\*/
    | (?P<multiline>text:)[ \t]*+(?:\#[^\n]*+)?\r?\n
    | "(?P<text>(?:[^"\\]++|\\.)*+)"
    | (?P<number>[0-9]++[KMGkmg]?)(?![A-Za-z0-9_])
    | (?P<word>[A-Za-z_][A-Za-z0-9_]*+)
    | :(?P<tag>[A-Za-z_][A-Za-z0-9_]*+)
    | (?P<sign>[\[\](){},;])
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_DOTTED = re.compile(r"^\.\.", re.MULTILINE)
_KINDS = {"text": Kind.TEXT, "number": Kind.NUMBER, "word": Kind.WORD, "tag": Kind.TAG, "sign": Kind.SIGN}


def tokens(script: str, file: str) -> Iterator[Token]:
    """Cut a script into its words. Raises RuleError."""
    if len(script) > MAX_SCRIPT:
        raise RuleError(f"is larger than {MAX_SCRIPT:,} characters", Place(file))
    text = script.removeprefix("\ufeff").replace("\r\n", "\n")
    at, line, begins, comment = 0, 1, 0, ""
    while at < len(text):
        found = _TOKEN.match(text, at)
        place = Place(file, line, at - begins + 1)
        if found is None:
            raise RuleError(_unknown(text, at), place)
        end, kind = found.end(), found.lastgroup or ""
        if kind in _KINDS:
            said = _ESCAPED.sub(r"\1", found[kind]) if kind == "text" else found[kind]
            yield Token(_KINDS[kind], said, line, place.column, comment)
            comment = ""
        elif kind == "multiline":
            said, end = _multiline(text, end, place)
            yield Token(Kind.TEXT, said, line, place.column, comment)
            comment = ""
        elif kind == "hash":
            comment = found["hash"].strip()
        elif kind == "blank" and found["blank"].count("\n") > 1:
            comment = ""
        lines = text.count("\n", at, end)
        if lines:
            line, begins = line + lines, text.rfind("\n", at, end) + 1
        at = end
    yield Token(Kind.END, "", line, at - begins + 1)


def _multiline(text: str, start: int, place: Place) -> tuple[str, int]:
    """Read `text:` up to its dot alone on a line; dots that were doubled are single again."""
    if text.startswith(".\n", start):
        return "", start + 1
    end = text.find("\n.\n", start - 1)
    if end < 0 and text.endswith("\n."):
        end = len(text) - 2
    if end < 0:
        raise RuleError("this text has no end: write a line with a dot alone below it", place)
    return _DOTTED.sub(".", text[start : end + 1]), end + 2


def _unknown(text: str, at: int) -> str:
    if text[at] == '"':
        return "this text has no end: write a quote after it"
    if text.startswith("/*", at):
        return "this comment has no end: write */ after it"
    if text[at].isdigit():
        return "a number may end in K, M or G and nothing else"
    return f"{text[at]!r} means nothing in Sieve here; texts stand in quotes"
