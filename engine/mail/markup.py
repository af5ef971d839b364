"""The text that a person reads in HTML, in linear time.

No tree is built: selectolax's builder (Lexbor) needs time and memory in the square of hostile
nesting (5,000 distinct `<font><p>`, 84 KB, make twelve million nodes), and text needs no tree.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

_QUOTED = r"""\s*+(?:"[^"]*+"|'[^']*+')"""
_TO_TAG = re.compile(
    rf"([^<]*+)<(/|(?!.[^\x00-\x7f]))([a-zA-Z][^\s/>]*+)[^>=]*+(?:=(?:{_QUOTED})?+[^>=]*+)*+>"
)
"""Text, and the tag behind it."""
_BLANK = " \t\r\n\f\v\xa0"
_BLANKS = re.compile(rf"[{_BLANK}]+")
_AROUND_BREAK = re.compile(r" ?\n ?")
_BREAKS = re.compile(r"\n{3,}")
_HUGE_REFERENCE = re.compile(r"&#[0-9]{8,}+;?")
"""Python refuses to read integers of more than 4,300 digits."""
_NAMED_CHARSET = re.compile(rb"""<meta[^>]{1,200}?charset\s*=\s*["']?([\w.:-]{1,40})""", re.I)

_UNSEEN = {
    name: re.compile(rf"</(?i:{name})(?=[\s/>])")
    for name in ("script", "style", "title", "noframes", "iframe", "xmp", "noembed")
}
_BLOCKS = (
    "address article aside blockquote body br caption center dd dl dt div fieldset figure footer form header"
    " hr li main nav option section tbody tfoot thead tr"
)
_PARAGRAPHS = "p table ul ol blockquote h1 h2 h3 h4 h5 h6 pre"
_BREAKS_AT = {
    **{tag: "\n" for name in _BLOCKS.split() for tag in (name, "/" + name)},
    **{tag: "\n\n" for name in _PARAGRAPHS.split() for tag in (name, "/" + name)},
    **dict.fromkeys(("td", "th"), " "),
}
"""What is read where a tag stands; a closing one begins with a slash."""


def html_text(source: str) -> str:
    """Give the text of HTML: blocks on lines of their own, scripts, styles and comments left out."""
    text = _AROUND_BREAK.sub("\n", "".join(_pieces(source)))
    return _BREAKS.sub("\n\n", text).strip()


def named_charset(source: bytes) -> str:
    """Read the charset that an HTML page names for itself near its beginning, "" if none."""
    match = _NAMED_CHARSET.search(source, 0, 2_048)
    return match[1].decode("ascii", "replace") if match else ""


def _pieces(source: str) -> Iterator[str]:
    """Give texts and breaks; as in a browser, whatever is left open hides the rest."""
    at = 0
    while at >= 0:
        if found := _TO_TAG.match(source, at):
            text, slash, name = found.groups()
            if text:
                yield _plain(text)
            name, at = name.lower(), found.end()
            if seen := _BREAKS_AT.get(slash + name):
                yield seen
            if name in _UNSEEN and not slash:
                at = _after(source, name, at)
            continue
        start = source.find("<", at)
        if text := source[at:] if start < 0 else source[at:start]:
            yield _plain(text)
        if start < 0:
            return
        following = source[start + 1 : start + 3]
        if following[:1] in ("!", "?") or (following[:1] == "/" and not following[1:].isalpha()):
            at = _after_comment(source, start)
        elif (following[:1].isalpha() and following.isascii()) or (
            following[:1] == "/" and following[1:].isalpha()
        ):
            return
        else:
            yield "<"
            at = start + 1


def _after(source: str, name: str, at: int) -> int:
    """Find where content ends that nobody sees; -1 when it does not."""
    end = _UNSEEN[name].search(source, at)
    return end.start() if end else -1


def _after_comment(source: str, start: int) -> int:
    if source.startswith("<!--", start):
        end = source.find("-->", start + 2)
        return end + 3 if end >= 0 else -1
    return source.find(">", start) + 1 or -1


def _plain(text: str) -> str:
    if "&" in text:
        text = html.unescape(_HUGE_REFERENCE.sub("\ufffd", text))
    return _BLANKS.sub(" ", text) if text.strip(_BLANK) else " "
