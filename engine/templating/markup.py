"""Turning what a template rendered into the parts of a mail: header lines, text, HTML."""

from __future__ import annotations

import re
from html import escape

from markdown_it import MarkdownIt
from markupsafe import Markup
from selectolax.lexbor import LexborHTMLParser, LexborNode

from engine.templating.limits import MAX_HEADER, LimitError

MAX_MARKDOWN = 300_000
MAX_MARKS = 5_000
"""Marks that Markdown pairs up in quadratic time; escaped ones, so all from values, do not count."""
_MARK = re.compile(r"(?<!\\)[*_\[`<&]")
_PUNCTUATION = {ord(char): "\\" + char for char in r"""!"#$%&'()*+,-./:;<=>?@[\]^_`{|}~"""}
_PARAGRAPHS = frozenset({"p", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "pre"})
_LINES = frozenset({"address", "article", "div", "dl", "dt", "dd", "footer", "header", "hr", "section", "tr"})
_SILENT = "head, script, style, template, title"
_markdown = MarkdownIt("commonmark", {"html": False}).enable("table")


def header_value(value: str) -> str:
    """Make one header line of a value: control characters and line breaks become one blank."""
    line = " ".join("".join(char if char.isprintable() else " " for char in value[: 4 * MAX_HEADER]).split())
    return line if len(line) <= MAX_HEADER else line[: MAX_HEADER - 1].rstrip() + "…"


def tidy(text: str) -> str:
    """Trim line ends, fold runs of empty lines, end with one line break."""
    lines = "\n".join(line.rstrip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    return re.sub(r"\n{3,}", "\n\n", lines).strip("\n") + "\n"


def markdown_literal(value: str) -> str:
    """Escape a value so that Markdown shows it as written (CommonMark 0.30, section 2.4)."""
    lines = value.translate(_PUNCTUATION).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if len(lines) == 1:
        return re.sub(r"^\s+", " ", lines[0])  # four blanks would begin a code block
    return "\\\n".join(line.strip() or "&nbsp;" for line in lines)


def markdown_html(source: str) -> str:
    """Render Markdown; raw HTML in it is shown, not obeyed. Raises LimitError."""
    if len(source) > MAX_MARKDOWN:
        raise LimitError(f"makes more than {MAX_MARKDOWN:,} characters of Markdown")
    if sum(1 for _ in _MARK.finditer(source)) > MAX_MARKS:
        raise LimitError(f"makes more than {MAX_MARKS:,} Markdown marks")
    return document(_markdown.render(source))


def document(body: str) -> str:
    """Wrap a fragment into a whole HTML document."""
    return f'<!DOCTYPE html>\n<html>\n<head><meta charset="utf-8"></head>\n<body>\n{body}</body>\n</html>\n'


def quote_text(value: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in value.strip("\n").splitlines())


def quote_markdown(value: str) -> Markup:
    lines = [line.strip().translate(_PUNCTUATION) for line in value.strip("\n").splitlines()]
    quoted = "\n".join(f"> {line}".rstrip() for line in lines)
    broken = re.sub(r"(?m)(?<=[^>\n ])\n(?=> )", "\\\\\n", quoted)  # a backslash is a hard line break
    return Markup(broken)  # noqa: S704 # escaped above


def quote_html(value: str) -> Markup:
    lines = "<br>\n".join(escape(line) for line in value.strip("\n").splitlines())
    return Markup(f"<blockquote>{lines}</blockquote>")  # noqa: S704 # escaped above


def html_text(html: str) -> str:
    """Read HTML as text: blocks on lines of their own, links followed by their address."""
    tree = LexborHTMLParser(html)
    for node in tree.css(_SILENT):
        node.decompose()
    body = tree.body
    return tidy(_collapse("".join(_pieces(body)))) if body else "\n"


def _collapse(text: str) -> str:
    return "\n".join(re.sub(r"[ \t]+", " ", line).strip() for line in text.split("\n"))


def _pieces(root: LexborNode) -> list[str]:
    """Walk without recursion, since nesting is the sender's choice."""
    pieces: list[str] = []
    todo: list[LexborNode | str] = [root]
    while todo:
        node = todo.pop()
        if isinstance(node, str):
            pieces.append(node)
        elif node.tag == "-text":
            pieces.append(re.sub(r"\s+", " ", node.text(deep=False) or ""))
        else:
            before, after = _around(node)
            pieces.append(before)
            todo += [after, *reversed(list(node.iter(include_text=True)))]
    return pieces


def _around(node: LexborNode) -> tuple[str, str]:
    if node.tag == "br":
        return "\n", ""
    if node.tag == "li":
        return "\n- ", "\n"
    if node.tag in {"td", "th"}:
        return "", " "
    if node.tag in _PARAGRAPHS or node.tag in _LINES:
        gap = "\n\n" if node.tag in _PARAGRAPHS else "\n"
        return gap, gap
    target = (node.attributes.get("href") or "") if node.tag == "a" else ""
    label = node.text().strip() if target else ""
    return ("", f" ({target})") if target and target not in {label, f"mailto:{label}"} else ("", "")
