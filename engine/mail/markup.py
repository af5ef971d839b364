"""The text that a person reads in HTML, in linear time.

No tree is built: selectolax's builder (Lexbor) needs time and memory in the square of hostile
nesting (5,000 distinct `<font><p>`, 84 KB, make twelve million nodes), and text needs no tree.
"""

from __future__ import annotations

import html
import re

from engine.mail.words import single_blanks

_QUOTED = r"""\s*+(?:"[^"]*+"|'[^']*+')"""
_REST = rf"[^>=]*+(?:=(?:{_QUOTED})?+[^>=]*+)*+>"
"""Of a tag, what stands behind its name."""
_MARKUP = re.compile(
    rf"""<(?:
        (?=[instxINSTX])(?i:(script|style|title|noframes|iframe|xmp|noembed))(?=[\s/>]){_REST}
            (?:[^<]++|<(?!/(?i:\1)[\s/>]))*+
        | ((?:/|(?!.[^\0-\x7f]))[a-zA-Z][^\s/>]*+){_REST}
        | !--(?:-?>|.*?--!?>|.*)
        | (?:[!?]|/(?![a-zA-Z]))[^>]*+>?
        | (?:/|[a-zA-Z](?![^\0-\x7f])).*
    )""",
    re.ASCII | re.DOTALL | re.VERBOSE,
)
"""What nobody reads, with the content of some elements (few tags begin with their letters); a tag; comments;
what is left open hides the rest."""
_BREAK = "\0"
"""Stands for a line break until the blanks of the source are one each."""
_HUGE_REFERENCE = re.compile(r"&#[0-9]{8,}+;?")
"""Python refuses to read integers of more than 4,300 digits."""
_NAMED_CHARSET = re.compile(rb"""<meta[^>]{1,200}?charset\s*=\s*["']?([\w.:-]{1,40})""", re.I)

_BLOCKS = (
    "address article aside blockquote body br caption center dd dl dt div fieldset figure footer form header"
    " hr li main nav option section tbody tfoot thead tr"
)
_PARAGRAPHS = "p table ul ol blockquote h1 h2 h3 h4 h5 h6 pre"
_BREAKS_AT = {
    **{tag: _BREAK for name in _BLOCKS.split() for tag in (name, "/" + name)},
    **{tag: 2 * _BREAK for name in _PARAGRAPHS.split() for tag in (name, "/" + name)},
    **dict.fromkeys(("td", "th"), " "),
}
"""What is read where a tag stands; a closing one begins with a slash."""


def html_text(source: str) -> str:
    """Give the text of HTML: blocks on lines of their own, scripts, styles and comments left out."""
    parts = _MARKUP.split(source.replace(_BREAK, ""))
    del parts[1::3]
    parts[::2] = [_plain(text) if "&" in text else text for text in parts[::2]]
    parts[1::2] = [_BREAKS_AT.get(name.lower(), "") if name else "" for name in parts[1::2]]
    text = single_blanks("".join(parts).replace("\xa0", " "))
    lines = [line.strip(" ") for line in text.split(_BREAK)]
    several = zip([_BREAK, *lines], lines, strict=False)
    return "\n".join([line for before, line in several if before or line]).strip()


def named_charset(source: bytes) -> str:
    """Read the charset that an HTML page names for itself near its beginning, "" if none."""
    match = _NAMED_CHARSET.search(source, 0, 2_048)
    return match[1].decode("ascii", "replace") if match else ""


def _plain(text: str) -> str:
    return html.unescape(_HUGE_REFERENCE.sub("\ufffd", text))
