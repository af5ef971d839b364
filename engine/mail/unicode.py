"""Normal forms of hostile text (UAX #15).

Normalising sorts each run of combining marks, in CPython by insertion: quadratic in the run.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Literal

MAX_MARKS = 30
"""Non-starters in a row (UAX #15, section 13: Stream-Safe Text Format)."""
_JOINER = "\u034f"
"""COMBINING GRAPHEME JOINER: a starter that nobody sees."""
_FIRST_MARK, _LAST_MARK = 0x300, 0x1FFFF


def normalize(form: Literal["NFC", "NFKC"], text: str) -> str:
    """Normalise in linear time: runs of more than MAX_MARKS combining marks are parted by a joiner."""
    return text if text.isascii() else unicodedata.normalize(form, _stream_safe(text))


def _stream_safe(text: str) -> str:
    mark, run = _patterns()
    # A run that is too long covers at least one of every MAX_MARKS + 1 characters.
    if len(text) <= MAX_MARKS or not mark.search(text[:: MAX_MARKS + 1]):
        return text
    return run.sub(rf"\g<0>{_JOINER}", text)


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """A mark, and MAX_MARKS of them with another behind."""
    signs = map(chr, range(_FIRST_MARK, _LAST_MARK + 1))
    mark = f"[{''.join(sign for sign in signs if is_mark(sign))}]"
    return re.compile(mark), re.compile(f"{mark}{{{MAX_MARKS}}}(?={mark})")


def is_mark(sign: str) -> bool:
    """Whether a character's decomposition begins with a non-starter; some starters' do."""
    return unicodedata.combining(unicodedata.normalize("NFKD", sign)[0]) > 0
