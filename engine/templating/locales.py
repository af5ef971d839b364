"""Languages: which variant of a template somebody gets, and what is asked to tell."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import translate
from functools import lru_cache
from typing import Literal

from babel.core import Locale, UnknownLocaleError

Source = Literal["input", "recipient", "mailbox", "header"]
SOURCES: tuple[Source, ...] = ("input", "recipient", "mailbox", "header")
MAX_RANGES = 10
"""Languages that are looked at in one header field."""
_TAG = re.compile(r"[a-z]{2,3}([-_][a-z]{4})?([-_]([a-z]{2}|[0-9]{3}))?", re.I)
_RANGE = re.compile(
    r"\s*([A-Za-z0-9_-]{2,20})\s*(?:\([^()]{0,50}\))?\s*(?:;\s*q\s*=\s*([01](?:\.[0-9]{0,3})?))?\s*"
)


@dataclass(frozen=True, slots=True)
class Choice:
    """One question: `name` is the header's or input's; `globs` lead from addresses to languages."""

    source: Source
    name: str = ""
    globs: tuple[tuple[str, str], ...] = ()


DEFAULT_CHOICES = (Choice("header", "Accept-Language"), Choice("header", "Content-Language"))


@lru_cache(maxsize=256)
def locale_of(tag: str) -> Locale | None:
    """Know a language tag such as de or de-CH (BCP 47); None for any other text."""
    if not _TAG.fullmatch(tag):
        return None
    try:
        return Locale.parse(tag.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return None


def normal(tag: str) -> str:
    """Write a tag so that de-CH and de_ch are one."""
    return tag.replace("_", "-").lower()


def languages(
    choice: Choice, *, header: str, given: str, addresses: Iterable[str], mailbox: str
) -> Iterator[str]:
    """Give the languages that a choice names, best first."""
    if choice.source == "header":
        yield from ranges(header)
    elif choice.source == "input":
        yield given
    else:
        asked = [mailbox] if choice.source == "mailbox" else addresses
        yield from (_matching(choice.globs, address) for address in asked)


def ranges(field: str) -> list[str]:
    """Read a list of languages by preference (RFC 9110, section 12.5.4; RFC 8255, section 3)."""
    found = [_RANGE.fullmatch(part) for part in field.split(",", MAX_RANGES)[:MAX_RANGES]]
    wanted = [(float(one[2] or 1), one[1]) for one in found if one]
    return [tag for quality, tag in sorted(wanted, key=lambda each: -each[0]) if quality > 0]


def nearest(tag: str, offered: Mapping[str, str]) -> str | None:
    """Look a language up (RFC 4647, section 3.4): de-CH finds de; `offered` is by normal tags."""
    parts = normal(tag).split("-")
    while parts:
        if "-".join(parts) in offered:
            return offered["-".join(parts)]
        parts.pop()
    return None


def _matching(globs: tuple[tuple[str, str], ...], address: str) -> str:
    return next((tag for glob, tag in globs if _glob(glob).fullmatch(address[:320].lower())), "")


@lru_cache(maxsize=1024)
def _glob(glob: str) -> re.Pattern[str]:
    """An author's glob; with `*` and `?` alone, and few of them, Python's `re` takes no long."""
    return re.compile(translate(glob.lower().replace("[", "[[]")))
