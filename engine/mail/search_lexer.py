"""Cut a search line into words, fields, brackets and signs."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

from engine.errors import PostroomError

FIELDS = (
    *(
        "from",
        "to",
        "cc",
        "bcc",
        "subject",
        "label",
        "in",
        "is",
        "has",
        "filename",
        "larger",
        "smaller",
        "size",
    ),
    *("after", "before", "newer", "older", "newer_than", "older_than", "category"),
    *("rfc822msgid", "list", "deliveredto"),
)

_TOKEN = re.compile(
    r'(?P<space>\s+)|(?P<open>[({])|(?P<close>[)}])|(?P<phrase>"[^"]*+")|(?P<minus>-(?=\S))'
    r"|(?P<field>[A-Za-z][A-Za-z0-9_]{0,30}:(?!//))"
    r'|(?P<word>[^\s(){}"]++)|(?P<quote>")'
)
_VALUE = re.compile(r'(?P<phrase>"[^"]*+")|(?P<word><[^\s<>"]*+>|[^\s(){}"]++)')
"""What stands right behind a field, where minus signs and colons mean nothing."""


class SearchError(PostroomError):
    """A search line is wrong at `column`, counted from 1."""

    def __init__(self, message: str, column: int) -> None:
        super().__init__(f"column {column}: {message}")
        self.message = message
        self.column = column


@dataclass(frozen=True, slots=True)
class Token:
    """One piece of a line: word, phrase, field, open, close, minus, and, or."""

    kind: str
    text: str
    column: int


def tokens(line: str) -> list[Token]:
    """Cut a line into tokens. Raises SearchError on an unclosed quote and an unknown field."""
    found: list[Token] = []
    at, behind_field = 0, False
    while match := (behind_field and _VALUE.match(line, at)) or _TOKEN.match(line, at):
        kind = match.lastgroup or ""
        if kind != "space":
            found.append(_token(match[0], kind, at + 1, value=behind_field))
        at, behind_field = match.end(), kind == "field"
    return found


def _token(text: str, kind: str, column: int, *, value: bool) -> Token:
    if kind == "quote":
        raise SearchError("the quotation mark is not closed", column)
    if kind == "phrase":
        return Token(kind, text[1:-1], column)
    if kind == "field":
        return Token(kind, _field(text[:-1].lower(), column), column)
    if kind == "word" and not value and text in ("OR", "AND"):
        return Token(text.lower(), text, column)
    if kind == "word" and not value and text == "AROUND":
        raise SearchError("AROUND is not known here; write the words one after the other", column)
    return Token(kind, text, column)


def _field(name: str, column: int) -> str:
    if name not in FIELDS:
        near = difflib.get_close_matches(name, FIELDS, 1)
        hint = (
            f"; did you mean '{near[0]}:'?" if near else "; put it in quotation marks to search for the text"
        )
        raise SearchError(f"unknown field '{name}:'{hint}", column)
    return name
