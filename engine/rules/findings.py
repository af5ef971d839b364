"""What is wrong with rule files, gathered: every problem of every file, not only the first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from itertools import islice

from engine.errors import PostroomError, RuleError

NO_HINTS: Mapping[str, str] = {}
MAX_NAME = 200
"""Characters of a name that are compared with known ones: likeness takes time in their square."""
MAX_KNOWN = 1_000
"""Names among which the one is looked for that was meant."""
LIKE = 0.65
"""How much of both names has to be the same: 'after' is less like 'draft'."""


class RuleErrors(PostroomError):
    """Several rule or template files are wrong; `errors` holds each problem with its place."""

    def __init__(self, errors: Sequence[RuleError], warnings: Sequence[RuleError] = ()) -> None:
        super().__init__("\n".join(map(str, errors)))
        self.errors = tuple(errors)
        self.warnings = tuple(warnings)


def in_order(errors: Iterable[RuleError]) -> list[RuleError]:
    """Sort problems as a reader meets them: by file, line and column."""
    return sorted(errors, key=lambda error: (error.place.file, error.place.line, error.place.column))


def unknown(kind: str, name: str, known: Iterable[str], hints: Mapping[str, str] = NO_HINTS) -> str:
    """Say that a name is unknown, and which one was probably meant; `hints` know names of elsewhere."""
    names = sorted(islice(known, MAX_KNOWN))
    if name.lower() in hints:
        return f"unknown {kind} '{name}'; {hints[name.lower()]}"
    near = get_close_matches(name[:MAX_NAME], [each for each in names if len(each) <= MAX_NAME], 1, LIKE)
    if near:
        return f"unknown {kind} '{name}'; did you mean '{near[0]}'?"
    choice = f"; there are: {', '.join(names)}" if len(names) <= 20 else ""
    choice = choice if names else "; there is none yet"
    return f"unknown {kind} '{name}'{choice}"
