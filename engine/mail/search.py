"""Search lines as people type them: `from:a@x.example has:attachment larger:1M -label:done`.

The grammar is Gmail's, which Zoom Mail's `q` follows as far as is known: words stand for all of
them, `OR` binds closer than that, `{a b}` is any of them, `-` is not, and a field may take a group.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from engine.mail.query import AllOf, AnyOf, Not, Query
from engine.mail.search_lexer import SearchError, Token, tokens
from engine.mail.search_match import matches
from engine.mail.search_terms import Frame, term

__all__ = ["MAX_DEPTH", "MAX_LENGTH", "MAX_TERMS", "Query", "SearchError", "matches", "parse_search"]

MAX_LENGTH = 100_000
MAX_DEPTH = 50
MAX_TERMS = 500

_CLOSING = {"(": ")", "{": "}"}


def parse_search(line: str, zone: tzinfo = UTC, now: datetime | None = None) -> Query:
    """Read a search line; dates without a zone are in `zone`, ages count back from `now` if it is given.

    Raises SearchError with the column.
    """
    if len(line) > MAX_LENGTH:
        raise SearchError(f"a search line has at most {MAX_LENGTH} characters", MAX_LENGTH + 1)
    reading = _Reading(tokens(line), Frame(zone, now), len(line) + 1)
    query = _sequence(reading, "", "", 0)
    if reading.here:
        raise SearchError(f"'{reading.here.text}' closes nothing", reading.here.column)
    return query


@dataclass(slots=True)
class _Reading:
    tokens: list[Token]
    frame: Frame
    end: int
    """The column after the last character."""
    at: int = 0
    terms: int = 0

    @property
    def here(self) -> Token | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def take(self, kind: str) -> Token | None:
        token = self.here
        if token is None or token.kind != kind:
            return None
        self.at += 1
        return token


def _sequence(reading: _Reading, field: str, opened: str, depth: int) -> Query:
    """Read terms up to a closing bracket or the end."""
    if depth > MAX_DEPTH:
        column = reading.tokens[reading.at - 1].column
        raise SearchError(f"brackets are nested more than {MAX_DEPTH} deep", column)
    found: list[Query] = []
    while (token := reading.here) and token.kind != "close":
        if not reading.take("and"):
            found.append(_alternatives(reading, field, depth))
    if len(found) == 1:
        return found[0]
    return AnyOf(tuple(found)) if opened == "{" else AllOf(tuple(found))


def _alternatives(reading: _Reading, field: str, depth: int) -> Query:
    found = [_negated(reading, field, depth)]
    while reading.take("or"):
        found.append(_negated(reading, field, depth))
    return found[0] if len(found) == 1 else AnyOf(tuple(found))


def _negated(reading: _Reading, field: str, depth: int) -> Query:
    """Read one term; an even number of minus signs is none."""
    negative = False
    while reading.take("minus"):
        negative = not negative
    query = _primary(reading, field, depth)
    return Not(query) if negative else query


def _primary(reading: _Reading, field: str, depth: int) -> Query:
    if name := reading.take("field"):
        if field:
            raise SearchError(f"'{name.text}:' stands inside '{field}:'", name.column)
        return _primary(reading, name.text, depth)
    if bracket := reading.take("open"):
        if reading.here and reading.here.kind == "close":
            raise SearchError("nothing stands in the brackets", bracket.column)
        query = _sequence(reading, field, bracket.text, depth + 1)
        closing = reading.take("close")
        if closing is None or closing.text != _CLOSING[bracket.text]:
            raise SearchError(f"'{bracket.text}' is not closed", bracket.column)
        return query
    if word := reading.take("word") or reading.take("phrase"):
        reading.terms += 1
        if reading.terms > MAX_TERMS:
            raise SearchError(f"a search line has at most {MAX_TERMS} terms", word.column)
        return term(field, word, reading.frame)
    raise SearchError("a term is missing", reading.here.column if reading.here else reading.end)
