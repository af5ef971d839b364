"""HTML reduced to what is harmless: "Server will sanitize the HTML before storing it" (Zoom's text)."""

from __future__ import annotations

from html import escape
from html.parser import HTMLParser

_BLOCKS = "blockquote br div h1 h2 h3 h4 hr li ol p pre table tbody td th thead tr ul"
_WORDS = "a b code em i s span strong u"
KEPT = frozenset([*_BLOCKS.split(), *_WORDS.split()])
VOID = frozenset({"br", "hr"})
DROPPED = frozenset({"script", "style", "iframe", "object", "template", "title"})
"""Elements that go with all that they hold."""
LINKS = ("http:", "https:", "mailto:")


def sanitized(source: str) -> str:
    """Keep plain elements and safe links; every other tag goes, its text stays."""
    reading = _Reading()
    reading.feed(source)
    reading.close()
    return "".join(reading.kept)


class _Reading(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.kept: list[str] = []
        self.dropping: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in DROPPED:
            self.dropping.append(tag)
        elif tag in KEPT and not self.dropping:
            self.kept.append(f"<{tag}{_link(dict(attrs).get('href')) if tag == 'a' else ''}>")

    def handle_endtag(self, tag: str) -> None:
        if self.dropping:
            if tag == self.dropping[-1]:
                self.dropping.pop()
        elif tag in KEPT - VOID:
            self.kept.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if not self.dropping:
            self.kept.append(escape(data, quote=False))


def _link(href: str | None) -> str:
    target = (href or "").strip()
    return f' href="{escape(target)}"' if target.lower().startswith(LINKS) else ""
