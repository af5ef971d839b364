"""Patterns that authors write: RE2 and globs, linear in time and bounded in memory."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any

import re2
from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from engine.rules.strict import TEXT_SCHEMA, some

MAX_PATTERN = 4_000
MAX_CAPTURE = 1_000
"""Characters kept of one capture."""
MAX_MEMORY = 4 << 20
"""Bytes that one compiled pattern may take."""

LACKING = {
    "(?=": "look-ahead",
    "(?!": "negative look-ahead",
    "(?<=": "look-behind",
    "(?<!": "negative look-behind",
    "(?>": "atomic group",
    "(?#": "comment",
    "(?(": "conditional group",
    "(?P=": "back-reference",
    "(?P>": "subroutine call",
    "(?R": "recursion",
    "(?|": "branch reset",
}
"""What other dialects have and RE2 lacks, by how it begins."""

_NAMED_GROUP = re.compile(r"\(\?P?<([A-Za-z_]\w*)>")
_QUANTIFIER = re.compile(r"bad repetition operator: ([*+?]{2})")


@dataclass(frozen=True)
class Pattern:
    """A compiled pattern together with what its author wrote."""

    source: str
    expression: str

    @cached_property
    def compiled(self) -> Any:
        return _compile(self.expression)

    @cached_property
    def names(self) -> frozenset[str]:
        return frozenset(name.decode() for name in self.compiled.groupindex)

    def search(self, text: bytes) -> Mapping[str, str] | None:
        """Search UTF-8 text; give what the named groups matched, or None."""
        found = self.compiled.search(text)
        if found is None:
            return None
        if not self.names:
            return {}
        return {name: _tidy(found.group(name.encode())) for name in self.names}

    def mapped(self, change: Callable[[str], str]) -> Pattern:
        """Make the same glob of a changed source, which may have grown beyond what an author may write."""
        return _glob(change(self.source))


def regex(text: Any) -> Pattern:
    """Compile an RE2 pattern. Raises ValueError that names what RE2 lacks."""
    source = _text(text)
    if not source:
        raise ValueError("is empty, which every text would match")
    expression = unicodedata.normalize("NFC", source)
    pattern = Pattern(source, expression)
    try:
        pattern.compiled  # noqa: B018
    except re2.error as error:
        raise ValueError(_explain(expression, error)) from None
    except UnicodeEncodeError:
        raise ValueError("holds half a character (a lone surrogate)") from None
    names = _NAMED_GROUP.findall(expression)
    if len(set(names)) < len(names) and len(names) != len(pattern.names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the group '{twice}' is named twice; give each its own name")
    return pattern


def glob(text: Any) -> Pattern:
    """Compile a glob: `*` any run, `?` one character, a backslash before either takes it literally."""
    source = _text(text)
    if not source:
        raise ValueError("is empty")
    try:
        return _glob(source)
    except (re2.error, UnicodeEncodeError):
        raise ValueError("is no glob that can be compiled; make it shorter") from None


def _glob(source: str) -> Pattern:
    pieces = re.findall(r"\\[*?\\]|.", source, flags=re.DOTALL)
    wild = {"*": ".*", "?": "."}
    body = "".join(wild.get(piece) or re2.escape(piece[-1]) for piece in pieces)
    pattern = Pattern(source, rf"(?s)\A{body}\z")
    pattern.compiled  # noqa: B018
    return pattern


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a text" + (" and is empty" if value is None else ""))
    if len(value) > MAX_PATTERN:
        raise ValueError(f"is longer than {MAX_PATTERN} characters")
    return value


def _compile(expression: str) -> Any:
    options = re2.Options()
    options.max_mem = MAX_MEMORY
    options.log_errors = False
    return re2.compile(expression.encode(), options)


def _tidy(group: bytes | None) -> str:
    """Captures go into labels and mail: one line, bounded, no control characters."""
    text = (group or b"").decode(errors="replace")
    shown = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(shown.split())[:MAX_CAPTURE]


def _explain(expression: str, error: Exception) -> str:
    said = (
        error.args[0].decode(errors="replace")
        if error.args and isinstance(error.args[0], bytes)
        else str(error)
    )
    lacking = _construct(expression, said)
    if lacking:
        return f"RE2 has no {lacking}; rules use RE2 so that no message can stall a worker"
    return f"is no RE2 pattern: {said}"


def _construct(expression: str, said: str) -> str:
    kind, _, construct = said.partition(": ")
    if kind == "invalid perl operator":
        near = [prefix for prefix in LACKING if prefix.startswith(construct) and prefix in expression]
        return f"{LACKING[near[0]]} ('{near[0]}')" if near else ""
    if kind == "invalid escape sequence" and re.fullmatch(r"\\[1-9kg]", construct):
        return f"back-reference ('{construct}')"
    if _QUANTIFIER.match(said) and construct.endswith("+"):
        return f"possessive quantifier ('{construct}')"
    return ""


_ONE = {**TEXT_SCHEMA, "minLength": 1}
_SCHEMA = {"anyOf": [_ONE, {"type": "array", "items": _ONE, "minItems": 1}]}
_AS_WRITTEN = PlainSerializer(lambda pattern: pattern.source)

OneRegex = Annotated[Pattern, BeforeValidator(regex), _AS_WRITTEN]
OneGlob = Annotated[Pattern, BeforeValidator(glob), _AS_WRITTEN]
Regexes = Annotated[tuple[OneRegex, ...], BeforeValidator(some), WithJsonSchema(_SCHEMA)]
"""One RE2 pattern, or a list of which one must be found."""
Globs = Annotated[tuple[OneGlob, ...], BeforeValidator(some), WithJsonSchema(_SCHEMA)]
"""One glob, or a list of which one must fit."""
