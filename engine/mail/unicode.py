"""Normal forms of hostile text (UAX #15).

Normalising sorts each run of combining marks, in CPython by insertion: quadratic in the run.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from functools import cache
from itertools import filterfalse
from typing import Literal, NamedTuple

MAX_MARKS = 30
"""Non-starters in a row (UAX #15, section 13: Stream-Safe Text Format)."""
_JOINER = "\u034f"
"""COMBINING GRAPHEME JOINER: a starter that nobody sees."""
_FIRST_MARK, _LAST_MARK = 0x300, 0x1FFFF
_WIDE = "\U00010000"


def normalize(form: Literal["NFC", "NFKC"], text: str) -> str:
    """Normalise in linear time: runs of more than MAX_MARKS combining marks are parted by a joiner."""
    return text if text.isascii() else unicodedata.normalize(form, _stream_safe(text))


def _stream_safe(text: str) -> str:
    # A run that is too long covers at least one of every MAX_MARKS + 1 characters.
    if len(text) <= MAX_MARKS or not _has_mark(text[:: MAX_MARKS + 1]):
        return text
    run = _patterns().run if _has_far(text) else _patterns().near_run
    return run.sub(rf"\g<0>{_JOINER}", text)


def _has_mark(text: str) -> bool:
    """Look for the many in the Basic Multilingual Plane by a table, for others where such signs are."""
    return _patterns().near.search(text) is not None or _has_far(text)


def _has_far(text: str) -> bool:
    patterns = _patterns()
    return patterns.wide.search(text) is not None and patterns.far.search(text) is not None


class _Patterns(NamedTuple):
    near: re.Pattern[str]
    """A mark of the Basic Multilingual Plane; mixed with others, it takes Python 20 times as long."""
    wide: re.Pattern[str]
    """Any sign beyond that plane."""
    far: re.Pattern[str]
    """A mark beyond it."""
    run: re.Pattern[str]
    """MAX_MARKS of them with another behind."""
    near_run: re.Pattern[str]
    """The same of marks of that plane alone."""


@cache
def _patterns() -> _Patterns:
    marks = [sign for sign in map(chr, range(_FIRST_MARK, _LAST_MARK + 1)) if is_mark(sign)]
    near, far, mark = (
        f"[{''.join(some)}]" for some in (filter(_is_near, marks), filterfalse(_is_near, marks), marks)
    )
    wide = f"[{_WIDE}-{chr(sys.maxunicode)}]"
    return _Patterns(*map(re.compile, (near, wide, far, _run(mark), _run(near))))


def _run(mark: str) -> str:
    return f"{mark}{{{MAX_MARKS}}}(?={mark})"


def _is_near(sign: str) -> bool:
    return sign < _WIDE


def is_mark(sign: str) -> bool:
    """Whether a character's decomposition begins with a non-starter; some starters' do."""
    return unicodedata.combining(unicodedata.normalize("NFKD", sign)[0]) > 0
