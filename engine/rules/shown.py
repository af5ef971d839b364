"""Values in words, short enough for one line of an explanation."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import islice

MAX_VALUES = 5
MAX_CHARACTERS = 120


def shown(values: Iterable[str]) -> str:
    """Quote the first few values, each cut to a bearable length; "nothing" when there is none."""
    some = list(islice(values, MAX_VALUES + 1))
    quoted = [_visible(json.dumps(cut(value), ensure_ascii=False)) for value in some[:MAX_VALUES]]
    return ", ".join(quoted + (["..."] if len(some) > MAX_VALUES else [])) or "nothing"


def cut(text: str, length: int = MAX_CHARACTERS) -> str:
    """Cut a text to a bearable length."""
    return text if len(text) <= length else text[:length] + "..."


def _visible(text: str) -> str:
    """Write out what would turn a line round or speak to a terminal."""
    return text if text.isprintable() else "".join(map(_escaped, text))


def _escaped(sign: str) -> str:
    return sign if sign.isprintable() else f"\\u{ord(sign):04x}"
