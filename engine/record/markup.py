"""HTML without what is personal in it: tags, known attributes and entities stay."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from html.entities import html5

from engine.record.kept import Keep
from engine.record.words import Span, Words

_TAG = re.compile(r"""<(?:!--|[!/?]?[a-zA-Z](?:=\s*+(?:"[^"]*+"|'[^']*+')|[^>=])*+>?)""")
_ATTRIBUTES = (
    "align|alt|background|bgcolor|border|cellpadding|cellspacing|charset|class|color|colspan|content|face|height"
    "|href|http-equiv|id|lang|name|rel|rowspan|size|src|style|target|title|type|valign|width"
)
_NAME = re.compile(
    rf"<[!/?]?[a-zA-Z][\w:-]*|(?<=\s)(?:{_ATTRIBUTES})(?=\s*=)|\bcharset\s*=\s*[\"']?[\w-]+", re.IGNORECASE
)
_ENTITY = re.compile(r"&(?:([a-zA-Z][a-zA-Z0-9]{1,31})|#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6}));?")


def redact_html(text: str, codec: str, words: Words, keep: Callable[[str], list[Keep]]) -> str:
    """Redact a page in the same length; `keep` says of the text that is seen what stays."""
    tags = [found.span() for found in _TAG.finditer(text)]
    seen, places = _seen(text, tags)
    kept = [_placed(span, places) for each in keep(seen) for span in each.spans(seen)]
    kept += [found.span() for start, end in tags for found in _NAME.finditer(text, start, end)]
    kept += [found.span() for found in _ENTITY.finditer(text) if _is_known(found)]
    redacted = words.redact(text, kept, codec)
    return _ENTITY.sub(lambda found: _reference(found, words), redacted)


def _is_known(found: re.Match[str]) -> bool:
    """Whether it is a reference, and no parameter of an address that begins like one."""
    return not found[1] or f"{found[1]};" in html5


def _seen(text: str, tags: list[Span]) -> tuple[str, list[int]]:
    """Give the text between tags with its entities read, and where each sign stands in the page."""
    signs: list[str] = []
    places: list[int] = []
    at = 0
    for start, end in [*tags, (len(text), len(text))]:
        while at < start:
            found = _ENTITY.match(text, at, start) if text[at] == "&" else None
            sign = html.unescape(found[0])[:1] if found else text[at]
            signs.append(sign or " ")
            places.append(at)
            at = found.end() if found else at + 1
        at = max(at, end)
    return "".join(signs), places


def _placed(span: Span, places: list[int]) -> Span:
    start, end = span
    return places[start], places[end - 1] + 1 if end > start else places[start]


def _reference(found: re.Match[str], words: Words) -> str:
    """Redact a letter that is written as a number, in as many digits."""
    digits = found[2] or found[3]
    if not digits:
        return found[0]
    code = int(digits, 10 if found[2] else 16)
    if code > 0x10FFFF or not chr(code).isalnum():
        return found[0]
    other = ord(words.redact(chr(code), (), "utf-8"))
    number = f"{other:d}" if found[2] else f"{other:x}"
    number = number if len(number) <= len(digits) else "120" if found[2] else "78"
    return found[0].replace(digits, number[-len(digits) :].rjust(len(digits), "0"))
