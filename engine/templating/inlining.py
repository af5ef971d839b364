"""Style sheets written into the elements that they style: many mail readers drop `<style>`.

css-inline (Servo's selectors and html5ever) does it, within bounds for two reasons: it recurses, so that
some 20,000 elements in each other end the process, and each element may get a copy of the sheet.
"""

from __future__ import annotations

import re

import css_inline

from engine.templating.limits import LimitError, check_length

MAX_STYLE = 50_000
"""Characters of all style sheets of a mail."""
MAX_TAGS = 20_000
MAX_WORK = 60_000_000
"""Characters of style sheets times tags."""
MAX_DEPTH = 250
VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)
ENDS_ITSELF = frozenset(
    {"p", "li", "dt", "dd", "td", "th", "tr", "tbody", "thead", "tfoot", "option", "optgroup", "colgroup"}
)
_STYLE = re.compile(r"<style\b[^>]*>(.*?)(?:</style|\Z)", re.I | re.S)
_TAG = re.compile(
    r"""<!--.*?(?:-->|\Z)|<(/?)([a-zA-Z][^\s/>]*+)(?:=\s*+(?:"[^"]*+"|'[^']*+')|[^>])*+>""", re.S
)
_inliner = css_inline.CSSInliner(load_remote_stylesheets=False, keep_at_rules=True)


def inline_css(html: str) -> str:
    """Move styles to the elements; rules for media stay in the head. Raises LimitError."""
    styles = sum(len(found[1]) for found in _STYLE.finditer(html)) if "<style" in html.lower() else 0
    if not styles:
        return html
    _bounded(html, styles)
    try:
        inlined = _inliner.inline(html)
    except css_inline.InlineError:
        raise LimitError("holds a style sheet that cannot be read") from None
    except BaseException as panic:
        if type(panic).__name__ != "PanicException":
            raise
        raise LimitError("holds HTML or a style sheet that cannot be read") from None
    check_length(len(inlined))
    return inlined


def _bounded(html: str, styles: int) -> None:
    tags, depth = _measure(html)
    if styles > MAX_STYLE:
        raise LimitError(f"holds more than {MAX_STYLE:,} characters of style sheets")
    if tags > MAX_TAGS or styles * tags > MAX_WORK:
        raise LimitError(f"makes {tags:,} tags, more than can be styled; at most {MAX_WORK // styles:,} can")
    if depth > MAX_DEPTH:
        raise LimitError(f"nests HTML more than {MAX_DEPTH} levels deep")


def _measure(html: str) -> tuple[int, int]:
    """Count the tags, and how deep elements lie in each other at most: never less than a browser says.

    An end tag closes the innermost element alone (past those that end by themselves), never another one:
    what a browser leaves open, as around `<div><table><td></div>`, is left open here.
    """
    tags = deepest = 0
    opened: list[str] = []
    for found in _TAG.finditer(html):
        if found[2] is None:
            continue
        tags += 1
        name = found[2].lower()
        if found[1]:
            _close(opened, name)
        elif name not in VOID:
            if opened and name in ENDS_ITSELF and opened[-1] == name:
                opened.pop()
            opened.append(name)
            deepest = max(deepest, len(opened))
    return tags, deepest


def _close(opened: list[str], name: str) -> None:
    at = len(opened) - 1
    while at > 0 and opened[at] != name and opened[at] in ENDS_ITSELF:
        at -= 1
    if at >= 0 and opened[at] == name:
        del opened[at:]
