"""Turning what a template rendered into the parts of a mail: header lines, text, HTML."""

from __future__ import annotations

import re
from html import escape

from markdown_it import MarkdownIt
from markupsafe import Markup

from engine.mail import markup
from engine.templating.limits import MAX_FIELD, MAX_HEADER, LimitError

MAX_MARKDOWN = 300_000
MAX_MARKS = 5_000
"""Marks that Markdown pairs up in quadratic time; escaped ones, so all from values, do not count."""
SIGNATURE = "-- "
OPENS, CLOSES = "\ue000", "\ue001"
"""Where a quote opens and closes, while HTML becomes text: of private use, so no text has them for itself."""
MAX_QUOTES = 10
_NO_MARKS = dict.fromkeys(map(ord, OPENS + CLOSES))
_MARKED = re.compile(r"(?i)</?(blockquote)\b[^<>]*>|<li\b[^<>]*>")
_MARK = re.compile(r"(?<!\\)[*_\[`<&]")
_PUNCTUATION = {ord(char): "\\" + char for char in r"""!"#$%&'()*+,-./:;<=>?@[\]^_`{|}~"""}
_LINK = re.compile(r"""(?i)<a\s(?:[^<>]*?\shref|href)\s*=\s*(?:"([^"<>]*)"|'([^'<>]*)')[^<>]*>|</a\s*>""")
_IMAGE = re.compile(r"!\[([^\]\[]*)\]\(cid:[0-9a-f]+@postroom\)")
_SAFE_URL = re.compile(r"(?i)(?:https?://|mailto:|tel:|cid:)")
_markdown = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable("table")


def header_value(value: str) -> str:
    """Make one header line of a value: control characters and line breaks become one blank."""
    line = " ".join("".join(char if char.isprintable() else " " for char in value[: 4 * MAX_HEADER]).split())
    return line if len(line) <= MAX_HEADER else line[: MAX_HEADER - 1].rstrip() + "…"


def header_line(name: str, value: str) -> str:
    """Make the text of a header field. Raises LimitError: half a field may mean something else."""
    line = " ".join("".join(char if char.isprintable() else " " for char in value).split())
    if len(line) > MAX_FIELD:
        raise LimitError(f"makes the header field {name} longer than {MAX_FIELD} characters")
    return line


def without_images(text: str) -> str:
    """Show what stands for an image in Markdown by its description alone."""
    return _IMAGE.sub(r"\1", text)


def tidy(text: str) -> str:
    """Trim line ends, not a signature's (RFC 3676, 4.3); fold runs of empty lines; end with one break."""
    lines = "\n".join(
        line if line == SIGNATURE else line.rstrip()
        for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    )
    return re.sub(r"\n{3,}", "\n\n", lines).strip("\n") + "\n"


def markdown_literal(value: str) -> str:
    """Escape a value so that Markdown shows it as written (CommonMark 0.30, section 2.4)."""
    lines = value.translate(_PUNCTUATION).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if len(lines) == 1:
        return re.sub(r"^\s+", " ", lines[0])  # four blanks would begin a code block
    return "\n".join(line.strip() or "\u00a0" for line in lines)


def markdown_html(source: str) -> str:
    """Render a fragment of Markdown, line breaks as written; raw HTML in it is shown. Raises LimitError."""
    if len(source) > MAX_MARKDOWN:
        raise LimitError(f"makes more than {MAX_MARKDOWN:,} characters of Markdown")
    if sum(1 for _ in _MARK.finditer(source)) > MAX_MARKS:
        raise LimitError(f"makes more than {MAX_MARKS:,} Markdown marks")
    rendered: str = _markdown.render(source)
    return rendered


def document(body: str) -> str:
    """Wrap a fragment into a whole HTML document."""
    return (
        '<!DOCTYPE html>\n<html>\n<head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"></head>\n'
        f'<body style="font: 16px/1.5 sans-serif; overflow-wrap: anywhere">\n{body}</body>\n</html>\n'
    )


def safe_url(value: str) -> str:
    """Let an address through that a mail may lead to; "#" stands for any other, such as a script."""
    return value if _SAFE_URL.match(value) else "#"


def quote_text(value: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in value.strip("\n").splitlines())


def quote_markdown(value: str) -> Markup:
    lines = (line.strip().translate(_PUNCTUATION) for line in value.strip("\n").splitlines())
    return Markup("\n".join(f"> {line}".rstrip() for line in lines))  # noqa: S704 # escaped above


def quote_html(value: str) -> Markup:
    lines = "<br>\n".join(escape(line) for line in value.strip("\n").splitlines())
    return Markup(f"<blockquote>{lines}</blockquote>")  # noqa: S704 # escaped above


def html_text(source: str) -> str:
    """Read HTML as text: a link's address follows what it says, quotes and items of lists are marked."""
    target = ""

    def spell_out(tag: re.Match[str]) -> str:
        nonlocal target
        if tag[0].startswith("</"):
            shown, target = (f" ({target})" if target and not target.startswith("cid:") else ""), ""
            return shown + tag[0]
        target = next((found for found in tag.groups() if found), "")
        return tag[0]

    spelled = _LINK.sub(spell_out, source.translate(_NO_MARKS))
    return tidy(_quoted(markup.html_text(_MARKED.sub(_marked, spelled))))


def _marked(tag: re.Match[str]) -> str:
    if not tag[1]:
        return f"{tag[0]}- "
    return f"{CLOSES}{tag[0]}" if tag[0].startswith("</") else f"{tag[0]}{OPENS}"


def _quoted(text: str) -> str:
    """Put `> ` before the lines between marks, once for each quote that a line lies in."""
    lines: list[str] = []
    depth = 0
    for line in text.split("\n"):
        depth += line.count(OPENS)
        plain = line.replace(OPENS, "").replace(CLOSES, "")
        if not plain and CLOSES in line:
            while lines and not lines[-1].strip("> "):
                lines.pop()
        elif plain or line == plain:
            lines.append(f"{'>' * min(depth, MAX_QUOTES)} {plain}".rstrip() if depth else plain)
        depth = max(depth - line.count(CLOSES), 0)
    return "\n".join(lines)
