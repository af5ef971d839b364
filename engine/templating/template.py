"""One template in one language, compiled: its pieces, and how they become the parts of a mail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from babel.core import Locale
from markupsafe import Markup

from engine.mail.address import Address
from engine.mail.bodies import File
from engine.mail.needs import Need, Needs, union
from engine.templating import markup
from engine.templating.formats import ENGLISH, FORMATS, Formats
from engine.templating.inlining import inline_css
from engine.templating.limits import BUDGET, Budget
from engine.templating.program import Program
from engine.templating.rendered import Rendered
from engine.templating.views import Context, Fields


@dataclass(frozen=True, slots=True)
class Layout:
    """A frame around bodies."""

    html: Program
    text: Program | None = None
    images: Mapping[str, File] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Body:
    """Markdown or HTML, and a text where HTML has one of its own; Markdown is a text by itself."""

    html: Program
    text: Program | None
    is_markdown: bool


@dataclass(frozen=True, slots=True)
class Template:
    """A template in one language."""

    subject: Program
    from_name: Program | None
    body: Body
    layout: Layout | None = None
    sender: Address | None = None
    reply_to: tuple[Address, ...] = ()
    headers: tuple[tuple[str, Program], ...] = ()
    images: Mapping[str, File] = field(default_factory=dict)
    files: tuple[File, ...] = ()
    own: tuple[str, ...] = ()
    locale: Locale = ENGLISH
    tag: str = ""
    """The language as its file names it, "" for the template itself."""

    @property
    def programs(self) -> Iterator[Program]:
        yield self.subject
        yield self.body.html
        yield from (program for _, program in self.headers)
        layout = (self.layout.html, self.layout.text) if self.layout else ()
        yield from (program for program in (self.from_name, self.body.text, *layout) if program)

    @property
    def needs(self) -> Needs:
        own = frozenset({Need.ATTACHMENTS} if self.own else ())
        return union([own, *(program.needs for program in self.programs)])

    def render(self, context: Context, inputs: Mapping[str, Any]) -> Rendered:
        """Fill the pieces in with inputs of their types. Raises TemplateError and LimitError."""
        images = {**(self.layout.images if self.layout else {}), **self.images}
        variables = {
            **context.variables(),
            "inputs": Fields(inputs, "inputs"),
            "images": Fields({name: Markup(f"cid:{file.id}") for name, file in images.items()}, "images"),  # noqa: S704
            FORMATS: Formats(self.locale, context.zone),
            BUDGET: Budget(),
        }  # fmt: skip
        named = {**variables, **{name: variables["inputs"][name] for name in inputs}}
        subject = markup.header_value(self.subject.render(named))
        text, html = self._body(named, {**variables, "subject": subject})
        shown = tuple(file for file in images.values() if f"cid:{file.id}" in html)
        return Rendered(
            subject=subject,
            text=text,
            html=html,
            from_name=self._from_name(named),
            sender=self.sender.address if self.sender else "",
            reply_to=self.reply_to,
            headers={name: markup.header_line(name, program.render(named)) for name, program in self.headers},
            files=(*shown, *self.files),
            own=self.own,
            locale=self.tag,
        )

    def _from_name(self, named: Mapping[str, Any]) -> str:
        if self.from_name:
            return markup.header_value(self.from_name.render(named))
        return self.sender.name if self.sender else ""

    def _body(self, named: Mapping[str, Any], around: Mapping[str, Any]) -> tuple[str, str]:
        """Give text and HTML; the layout knows no inputs."""
        made = self.body.html.render(named)
        fragment = markup.markdown_html(made) if self.body.is_markdown else made
        text = self.body.text.render(named) if self.body.text else ""
        text = markup.without_images(text) if self.body.is_markdown else text
        layout = self.layout
        if layout is None:
            html = markup.document(fragment) if self.body.is_markdown else fragment
        else:
            html = layout.html.render({**around, "content": Markup(fragment)})  # noqa: S704 # escaped when made
        if layout and layout.text:
            inner = text or markup.html_text(fragment)
            text = layout.text.render({**around, "content": inner.strip("\n")})
        return markup.tidy(text or markup.html_text(html)), inline_css(html)
