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
    quoted = [json.dumps(_cut(value), ensure_ascii=False) for value in some[:MAX_VALUES]]
    return ", ".join(quoted + (["..."] if len(some) > MAX_VALUES else [])) or "nothing"


def _cut(text: str) -> str:
    return text if len(text) <= MAX_CHARACTERS else text[:MAX_CHARACTERS] + "..."
