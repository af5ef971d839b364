"""Words that stand for words: the same for the same, of the same length, and saying nothing of them.

A word is replaced by the next one of its shape, in the order in which words are met. So nothing but
lengths, capitals and repetitions of a text comes through.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from math import gcd

CONSONANTS = "bcdfghjklmnpqrstvwxz"
"""Words without vowels are nobody's, and no keyword of a rule."""
LETTERS = "qxzjkvwbpgfyhmducslrntioae"
"""All, for words so short that each has to count."""
SHORT = 2
DIGITS = "0123456789"

_POOLS = {
    "CJK UNIFIED": "山川田石水火木金土日月天雨花草虫",
    "HIRAGANA": "かきくけこさしすせそたちつてと",
    "KATAKANA": "カキクケコサシスセソタチツテト",
    "HANGUL": "가나다라마바사아자차카타파하",
    "CYRILLIC SMALL": "бвгджзклмнпрстфхцчшщ",
    "CYRILLIC CAPITAL": "БВГДЖЗКЛМНПРСТФХЦЧШЩ",
    "GREEK SMALL": "βγδζθκλμνξπρτφχψ",
    "GREEK CAPITAL": "ΒΓΔΖΘΚΛΜΝΞΠΡΤΦΧΨ",
    "HEBREW": "בגדהזחטכלמנסעפצקרש",
    "ARABIC": "بتثجحخدرزسشصضطظعغف",
    "THAI": "กขคงจฉชซดตถทนบปผพฟมยรลวสหอ",
    "LATIN SMALL": "àáâãäåæçèéêëìíîïñòóôõöøùúûüýăąćčďęěğłńňőřśşšťůűźżž",
    "LATIN CAPITAL": "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝĂĄĆČĎĘĚĞŁŃŇŐŘŚŞŠŤŮŰŹŻŽ",
}
NEIGHBOURS = 128
_TOKEN = re.compile(r"[^\W\d_]{1,64}|\d{1,64}")
"""Longer runs are taken in pieces: numbers of so many values take time to count with."""

Span = tuple[int, int]


class Words:
    """What stands for each word met so far; `seed` chooses among the ways to begin."""

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._known: dict[tuple[str, str], str] = {}
        self._met: Counter[tuple[str, ...]] = Counter()

    def redact(self, text: str, kept: Iterable[Span], codec: str) -> str:
        """Replace every word and number outside of what is kept; each sign keeps its length in the codec."""
        pieces, at = [], 0
        for start, end in [*_merged(kept), (len(text), len(text))]:
            pieces.append(_TOKEN.sub(lambda found: self._instead(found[0], codec), text[at:start]))
            pieces.append(text[start:end])
            at = max(at, end)
        return "".join(pieces)

    def _instead(self, word: str, codec: str) -> str:
        lower = word.lower()
        key = lower if len(lower) == len(word) and _fits(word, lower, "utf-8") else word
        other = self._known.get((key, "")) or self._known.get((key, codec))
        if other is None or not _fits(key, other, codec):
            other = self._next(key, codec)
            self._known[key, codec if (key, "") in self._known else ""] = other
        pairs = zip(word, other, strict=True)
        return "".join(_capital(new, codec) if old.isupper() else new for old, new in pairs)

    def _next(self, word: str, codec: str) -> str:
        """Make the next word of a shape: of n it counts the signs, each with as many values as its pool."""
        pools = [_pool(sign, codec, short=len(word) <= SHORT, first=not at) for at, sign in enumerate(word)]
        shape = tuple(pools)
        number, self._met[shape] = self._met[shape], self._met[shape] + 1
        total = 1
        for pool in pools:
            total *= len(pool)
        number = ((number + 1) * _stride(total) + self._seed) % total
        signs = []
        for pool in reversed(pools):
            number, at = divmod(number, len(pool))
            signs.append(pool[at])
        return "".join(reversed(signs))


def _stride(total: int) -> int:
    """A step through all of so many numbers that meets each once, in no plain order."""
    step = total * 6_180_339_887_498_949 // 10**16 + 1
    while gcd(step, total) > 1:
        step += 1
    return step


def _fits(word: str, other: str, codec: str) -> bool:
    return word.isascii() or all(
        _length(old, codec) == _length(new, codec) for old, new in zip(word, other, strict=True)
    )


def _pool(sign: str, codec: str, *, short: bool, first: bool) -> str:
    if sign.isascii():
        if sign in DIGITS:
            return sign if first and sign == "0" else DIGITS[1:] if first else DIGITS
        return LETTERS if short else CONSONANTS
    return _foreign_pool(sign, codec)


@cache
def _foreign_pool(sign: str, codec: str) -> str:
    """Signs of the same script, kind and length; the sign itself where there is no other."""
    name = unicodedata.name(sign, "")
    known = next((pool for start, pool in _POOLS.items() if name.startswith(start)), "")
    base = ord(sign) - ord(sign) % NEIGHBOURS
    kind = unicodedata.category(sign)
    near = [chr(code) for code in range(base, base + NEIGHBOURS) if unicodedata.category(chr(code)) == kind]
    for signs in (known, near):
        fitting = _fitting(signs, sign, codec)
        if len(fitting) > 1:
            return fitting
    return sign


def _fitting(signs: Sequence[str], sign: str, codec: str) -> str:
    return "".join(each for each in signs if _length(each, codec) == _length(sign, codec) and _is_plain(each))


def _is_plain(sign: str) -> bool:
    """Whether a sign stays one sign however it is compared."""
    return len(sign.casefold()) == 1 and unicodedata.is_normalized("NFC", sign)


def _length(sign: str, codec: str) -> int:
    try:
        return len(sign.encode(codec))
    except UnicodeError:
        return 0


def _capital(sign: str, codec: str) -> str:
    upper = sign.upper()
    return upper if len(upper) == 1 and _length(upper, codec) == _length(sign, codec) else sign


def _merged(spans: Iterable[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
