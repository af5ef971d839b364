"""Text kinds: how a text of a message is compared with what a rule's author wrote."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from operator import attrgetter
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from engine.lazy import lazy
from engine.mail.unicode import normalize
from engine.rules import hints
from engine.rules.patterns import Globs, Pattern, Regexes
from engine.rules.strict import NOT_EMPTY, TEXT_SCHEMA, Flag, ManyWords, Strict

Captures = Mapping[str, str]
"""What the named groups of a pattern matched; an empty map is a match without any."""

NONE: Captures = {}

MAX_CHARACTERS = 100_000
"""How much of one header value is looked at."""


def nfc(text: str) -> str:
    """Compose characters, so that the two ways of writing é are one."""
    return normalize("NFC", text)


def fold(text: str) -> str:
    """Compose and ignore case: NFC(casefold(NFC))."""
    return text.lower() if text.isascii() else nfc(nfc(text).casefold())


class Text:
    """One text of a message; each of its comparable forms is made once."""

    def __init__(self, raw: str, most: int = MAX_CHARACTERS) -> None:
        self.raw = raw[:most]

    @lazy
    def exact(self) -> str:
        return nfc(self.raw)

    @lazy
    def folded(self) -> str:
        return fold(self.raw)

    @lazy
    def exact_bytes(self) -> bytes:
        raw = self.raw
        return raw.encode() if raw.isascii() else to_bytes(self.exact)

    @lazy
    def folded_bytes(self) -> bytes:
        return self.sought if self.raw.isascii() else to_bytes(self.folded)

    @lazy
    def sought(self) -> bytes:
        """Bytes in which all ASCII stands that stands in `folded_bytes`, made without folding Unicode."""
        text = self.raw
        if not text.isascii():
            for sign, made in _MADE_ASCII.items():
                if sign in text:
                    text = text.replace(sign, made)
        return to_bytes(text).lower()


_MADE_ASCII = {sign: fold(sign) for sign in "ßẞſŉİẚﬀﬁﬂﬃﬄﬅﬆ\u212a\u037e\u1fef"}
"""All signs of which folding makes ASCII."""


def to_bytes(text: str) -> bytes:
    """Encode for RE2; lone surrogates become U+FFFD."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text).encode()


def _filled(texts: tuple[str, ...]) -> tuple[str, ...]:
    if not texts or "" in texts:
        raise ValueError("is empty, which every text would match")
    return texts


_FILLED = {**TEXT_SCHEMA, "minLength": 1}
FilledWords = Annotated[
    ManyWords,
    AfterValidator(_filled),
    WithJsonSchema({"anyOf": [_FILLED, {"type": "array", "items": _FILLED, "minItems": 1}]}),
]

Test = Callable[[Text], Captures | None]


class TextKinds(Strict):
    """Ways to compare a text. All that are given must hold; a list means any of its members."""

    hints: ClassVar[Mapping[str, str]] = hints.TEXT
    bare: ClassVar[str] = "is"
    map_schema: ClassVar[Mapping[str, Any]] = NOT_EMPTY
    exact: ClassVar[bool] = False
    """Whether case matters to the literal kinds."""

    is_: ManyWords | None = Field(None, alias="is", description="The whole text.")
    contains: FilledWords | None = Field(None, description="A part of the text.")
    starts_with: FilledWords | None = Field(None, description="How the text begins.")
    ends_with: FilledWords | None = Field(None, description="How the text ends.")
    glob: Globs | None = Field(
        None, description="The whole text; `*` stands for any run, `?` for one character."
    )
    regex: Regexes | None = Field(None, description="An RE2 pattern, found anywhere in the text.")
    exists: Flag | None = Field(None, description="Whether there is such a text at all.")

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if not any(getattr(self, name) is not None for name in type(self).model_fields):
            raise ValueError(f"asks nothing; write one of {', '.join(self.keys())}")
        if self.exists is False and self.tests:
            raise ValueError("what does not exist cannot have a text: take 'exists: false' out")
        return self

    @cached_property
    def tests(self) -> tuple[Test, ...]:
        """One function per kind that is given."""
        read = attrgetter("exact" if self.exact else "folded")
        literal = nfc if self.exact else fold
        tests: list[Test] = []
        if self.is_ is not None:
            tests.append(_is(frozenset(map(literal, self.is_)), read))
        for method, wanted in (("startswith", self.starts_with), ("endswith", self.ends_with)):
            if wanted is not None:
                tests.append(_edge(method, tuple(map(literal, wanted)), read))
        if self.contains is not None:
            tests.append(_contains(tuple(map(literal, self.contains)), read))
        if self.glob is not None:
            tests.append(_globs(self.glob, exact=self.exact))
        if self.regex is not None:
            tests.append(_regexes(self.regex))
        return tuple(tests)

    def match(self, text: Text) -> Captures | None:
        """Compare one text; None means no match."""
        found = NONE
        for test in self.tests:
            captures = test(text)
            if captures is None:
                return None
            if captures:
                found = {**captures, **found}
        return found

    def match_any(self, texts: Iterable[Text]) -> Captures | None:
        """Find the first text that all kinds hold of."""
        if self.exists is False:
            return None if any(True for _ in texts) else NONE
        for text in texts:
            found = self.match(text)
            if found is not None:
                return found
        return None

    @property
    def possible_captures(self) -> frozenset[str]:
        """Names that a match may supply."""
        return possible(self.regex)

    @property
    def sure_captures(self) -> frozenset[str]:
        """Names that every match supplies."""
        return sure(self.regex)


def possible(patterns: tuple[Pattern, ...] | None) -> frozenset[str]:
    return frozenset[str]().union(*(pattern.names for pattern in patterns or ()))


def sure(patterns: tuple[Pattern, ...] | None) -> frozenset[str]:
    return frozenset.intersection(*(pattern.names for pattern in patterns)) if patterns else frozenset()


def _is(wanted: frozenset[str], read: Callable[[Text], str]) -> Test:
    return lambda text: NONE if read(text) in wanted else None


def _contains(wanted: tuple[str, ...], read: Callable[[Text], str]) -> Test:
    def test(text: Text) -> Captures | None:
        whole = read(text)
        for part in wanted:
            if part in whole:
                return NONE
        return None

    return test


def _edge(method: str, wanted: tuple[str, ...], read: Callable[[Text], str]) -> Test:
    return lambda text: NONE if getattr(read(text), method)(wanted) else None


def _globs(globs: tuple[Pattern, ...], *, exact: bool) -> Test:
    def test(text: Text) -> Captures | None:
        whole = text.exact_bytes if exact else text.folded_bytes
        return NONE if any(glob.search(whole) is not None for glob in patterns) else None

    patterns = globs if exact else tuple(glob.mapped(fold) for glob in globs)
    return test


def _regexes(patterns: tuple[Pattern, ...]) -> Test:
    def test(text: Text) -> Captures | None:
        whole = text.exact_bytes
        for pattern in patterns:
            found = pattern.search(whole)
            if found is not None:
                return found
        return None

    return test
