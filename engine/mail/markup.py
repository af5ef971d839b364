"""The text that a person reads in HTML, in linear time.

No tree is built: selectolax's builder (Lexbor) needs time and memory in the square of hostile
nesting (5,000 distinct `<font><p>`, 84 KB, make twelve million nodes), and text needs no tree.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

_TAG = re.compile(r"""<(/?)([a-zA-Z][^\s/>]*+)(?:=\s*+(?:"[^"]*+"|'[^']*+')|[^>])*+>""")
_BLANKS = re.compile(r"[ \t\r\n\f\v\xa0]+")
_AROUND_BREAK = re.compile(r" ?\n ?")
_BREAKS = re.compile(r"\n{3,}")
_HUGE_REFERENCE = re.compile(r"&#[0-9]{8,}+;?")
"""Python refuses to read integers of more than 4,300 digits."""
_NAMED_CHARSET = re.compile(rb"""<meta[^>]{1,200}?charset\s*=\s*["']?([\w.:-]{1,40})""", re.I)

_UNSEEN = {
    name: re.compile(rf"</{name}(?=[\s/>])", re.I)
    for name in ("script", "style", "title", "noframes", "iframe", "xmp", "noembed")
}
_BLOCK = re.compile(
    "address|article|aside|blockquote|body|br|caption|center|d[dlt]|div|fieldset|figure|footer|form|header|hr|li"
    "|main|nav|option|section|t(?:body|foot|head|r)"
)
_PARAGRAPHS = frozenset({"p", "table", "ul", "ol", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "pre"})


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
    while (start := source.find("<", at)) >= 0:
        yield _plain(source[at:start])
        following = source[start + 1 : start + 3]
        if (following[:1].isalpha() and following.isascii()) or (
            following[:1] == "/" and following[1:].isalpha()
        ):
            tag = _TAG.match(source, start)
            if tag is None:
                return
            name = tag[2].lower()
            yield _break(name, closing=bool(tag[1]))
            at = tag.end() if tag[1] else _after(source, name, tag.end())
        elif following[:1] in ("!", "?", "/"):
            at = _after_comment(source, start)
        else:
            yield "<"
            at = start + 1
        if at < 0:
            return
    yield _plain(source[at:])


def _after(source: str, name: str, at: int) -> int:
    """Find where reading goes on after an opening tag: past content that nobody sees; -1 at the end."""
    if name not in _UNSEEN:
        return at
    end = _UNSEEN[name].search(source, at)
    return end.start() if end else -1


def _after_comment(source: str, start: int) -> int:
    if source.startswith("<!--", start):
        end = source.find("-->", start + 2)
        return end + 3 if end >= 0 else -1
    return source.find(">", start) + 1 or -1


def _break(name: str, *, closing: bool) -> str:
    if name in _PARAGRAPHS:
        return "\n\n"
    if _BLOCK.fullmatch(name):
        return "\n"
    return " " if name in ("td", "th") and not closing else ""


def _plain(text: str) -> str:
    if "&" in text:
        text = html.unescape(_HUGE_REFERENCE.sub("\ufffd", text))
    return _BLANKS.sub(" ", text)
