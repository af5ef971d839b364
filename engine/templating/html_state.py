"""Where in HTML a text ends: between tags, in a tag, in a quoted value (WHATWG HTML, section 13.2.5)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

RAW = frozenset({"script", "style", "xmp", "iframe", "noembed", "noframes", "plaintext"})
"""Elements whose text is no HTML: a value in them cannot be escaped."""
URLS = frozenset(
    {
        "href",
        "src",
        "action",
        "formaction",
        "background",
        "poster",
        "cite",
        "data",
        "longdesc",
        "ping",
        "srcset",
    }
    | {
        "xlink:href",
        "manifest",
        "icon",
        "usemap",
        "classid",
        "codebase",
        "profile",
        "archive",
        "lowsrc",
        "dynsrc",
    }
)
_TAG_NAME = re.compile(r"</?([a-zA-Z][^\s/>]*)")
_NO_COMMENT = re.compile(r"<!--(?:\[if[^\]]{0,200}\]>|>)", re.I)
_ATTRIBUTE = re.compile(r"""[\s/]*([^\s=>/"']+)""")
_EQUALS = re.compile(r"""\s*=\s*(["']?)""")


@dataclass(frozen=True, slots=True)
class State:
    """`kind` is text, opening (after `<`), tag, bare (after `=`, unquoted), value, comment or raw."""

    kind: str = "text"
    element: str = ""
    attribute: str = ""
    quote: str = ""
    started: bool = False
    """Whether the value of the attribute has begun."""


def advance(state: State, text: str) -> State:
    """Read on."""
    at = 0
    while at < len(text):
        state, at = _STEPS[state.kind](state, text, at)
    return state


def _text(state: State, text: str, at: int) -> tuple[State, int]:
    start = text.find("<", at)
    if start < 0:
        return state, len(text)
    if found := _NO_COMMENT.match(text, start):
        return state, found.end()  # what Outlook reads there is HTML
    if text.startswith(("<!", "<?"), start):
        return State("comment", quote="-->" if text.startswith("<!--", start) else ">"), start + 2
    if found := _TAG_NAME.match(text, start):
        closes = text[start + 1] == "/"
        return State("tag", element="" if closes else found[1].lower()), found.end()
    if text[start:] in ("<", "</"):
        return State("opening"), len(text)
    return state, start + 1


def _opening(_state: State, text: str, at: int) -> tuple[State, int]:
    """A branch may go on with the name of a tag."""
    state, end = _text(State(), f"<{text[at:]}", 0)
    return state, at + end - 1


def _tag(state: State, text: str, at: int) -> tuple[State, int]:
    blanks = len(text) - len(text[at:].lstrip(" \t\r\n\f/"))
    if blanks >= len(text):
        return state, len(text)
    if text[blanks] == ">":
        return (State("raw", element=state.element) if state.element in RAW else State()), blanks + 1
    if text[blanks] in "\"'=":
        return state, blanks + 1
    found = _ATTRIBUTE.match(text, at)
    assert found  # noqa: S101 # something other than a blank stands there
    equals = _EQUALS.match(text, found.end())
    if not equals:
        return state, found.end()
    kind = "value" if equals[1] else "bare"
    return replace(state, kind=kind, attribute=found[1].lower(), quote=equals[1], started=False), equals.end()


def _bare(state: State, text: str, at: int) -> tuple[State, int]:
    found = re.compile(r"[\s>]").search(text, at)
    return (replace(state, kind="tag"), found.start()) if found else (state, len(text))


def _value(state: State, text: str, at: int) -> tuple[State, int]:
    end = text.find(state.quote, at)
    if end < 0:
        return replace(state, started=state.started or bool(text[at:].strip())), len(text)
    return replace(state, kind="tag", attribute="", quote="", started=False), end + 1


def _comment(state: State, text: str, at: int) -> tuple[State, int]:
    end = text.find(state.quote, at)
    return (State(), end + len(state.quote)) if end >= 0 else (state, len(text))


def _raw(state: State, text: str, at: int) -> tuple[State, int]:
    found = re.compile(rf"</{re.escape(state.element)}(?=[\s/>])", re.I).search(text, at)
    return (State("tag"), found.end()) if found else (state, len(text))


_STEPS = {
    "text": _text, "opening": _opening, "tag": _tag, "bare": _bare,
    "value": _value, "comment": _comment, "raw": _raw,
}  # fmt: skip
