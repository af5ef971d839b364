"""All templates by name: load them, ask what they need, render them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import PurePosixPath
from typing import Any

from engine.errors import Place, PostroomError, RuleError, TemplateError
from engine.mail.needs import Needs, union
from engine.templating import markup
from engine.templating.environment import HTML, MARKDOWN, TEXT, Sandbox
from engine.templating.front import Front, Value, read_front
from engine.templating.grammar import RESERVED, unknown
from engine.templating.limits import LimitError
from engine.templating.program import Program, compile_input, compile_piece
from engine.templating.views import Context, Fields

__all__ = ["Context", "Library", "Rendered", "TemplateErrors", "load_templates"]


class TemplateErrors(PostroomError):
    """Every fault of every template file; see `errors`."""

    def __init__(self, errors: Sequence[RuleError]) -> None:
        super().__init__("\n".join(map(str, errors)))
        self.errors = list(errors)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A template filled in; `subject` and `from_name` are single lines."""

    subject: str
    text: str
    html: str
    from_name: str


@dataclass(frozen=True, slots=True)
class _Template:
    inputs: frozenset[str]
    subject: Program
    from_name: Program | None
    bodies: tuple[Program, ...]
    """Markdown: as text and as Markdown with values escaped; HTML: alone."""

    @property
    def needs(self) -> Needs:
        pieces = (self.subject, *([self.from_name] if self.from_name else []), *self.bodies)
        return union(piece.needs for piece in pieces)


class Library:
    """A fixed set of templates."""

    def __init__(self, templates: Mapping[str, _Template]) -> None:
        self._templates = dict(templates)

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._templates)

    def __contains__(self, name: object) -> bool:
        return name in self._templates

    def needs(self, name: str, inputs: Mapping[str, str] | None = None) -> Needs:
        """Name what must be fetched of the message before rendering, its inputs included."""
        pieces = [compile_input(text, TEXT, Place(key)) for key, text in (inputs or {}).items()]
        return union(
            [self._get(name).needs, *(piece.needs for piece in pieces if isinstance(piece, Program))]
        )

    def check(self, name: str, inputs: Mapping[str, str] | Iterable[str], place: Place) -> list[RuleError]:
        """List what is wrong with a rule's use of a template; `place` is where the rule says so."""
        if name not in self:
            return [RuleError(unknown("template", name, self.names), place)]
        declared, given = self._templates[name].inputs, frozenset(inputs)
        found = [
            RuleError(f"template '{name}' needs the input '{key}'", place) for key in sorted(declared - given)
        ]
        found += [RuleError(unknown("input", key, declared), place) for key in sorted(given - declared)]
        texts = inputs.values() if isinstance(inputs, Mapping) else ()
        for made in (compile_input(text, TEXT, place) for text in texts):
            found += [] if isinstance(made, Program) else made
        return found

    def render(self, name: str, context: Context) -> Rendered:
        """Fill a template in. Raises TemplateError."""
        template = self._get(name)
        variables = context.variables()
        inputs = {key: _render_input(name, key, context.inputs, variables) for key in sorted(template.inputs)}
        variables |= {"inputs": Fields(inputs, "inputs"), **inputs}
        try:
            text, html = _render_body(template.bodies, variables)
        except LimitError as error:
            raise TemplateError(f"template '{name}' {error}") from None
        return Rendered(
            subject=markup.header_value(template.subject.render(variables)),
            text=text,
            html=html,
            from_name=markup.header_value(template.from_name.render(variables)) if template.from_name else "",
        )

    def _get(self, name: str) -> _Template:
        if name not in self._templates:
            raise TemplateError(unknown("template", name, self.names))
        return self._templates[name]


def _render_input(name: str, key: str, inputs: Mapping[str, str], variables: Mapping[str, Any]) -> str:
    if key not in inputs:
        raise TemplateError(f"template '{name}' needs the input '{key}'")
    made = compile_input(inputs[key], TEXT, Place(f"{name}: input '{key}'"))
    if not isinstance(made, Program):
        raise TemplateError(str(made[0]))
    return made.render(variables)


def _render_body(bodies: tuple[Program, ...], variables: Mapping[str, Any]) -> tuple[str, str]:
    if len(bodies) == 1:
        html = bodies[0].render(variables)
        return markup.html_text(html), html
    text, source = (body.render(variables) for body in bodies)
    return markup.tidy(text), markup.markdown_html(source)


DIALECTS: Mapping[str, tuple[Sandbox, ...]] = {".md": (TEXT, MARKDOWN), ".html": (HTML,)}


def load_templates(sources: Mapping[str, str]) -> Library:
    """Compile template files, given as file name -> text. Raises TemplateErrors with every fault."""
    templates: dict[str, _Template] = {}
    errors: list[RuleError] = []
    for file, source in sorted(sources.items()):
        try:
            name = _name(file, templates.keys())
            templates[name] = _load(file, source)
        except RuleError as error:
            errors.append(error)
        except TemplateErrors as found:
            errors += found.errors
    if errors:
        raise TemplateErrors(errors)
    return Library(templates)


def _name(file: str, taken: Iterable[str]) -> str:
    path = PurePosixPath(file)
    if path.suffix not in DIALECTS:
        raise RuleError("a template file is named NAME.md or NAME.html", Place(file))
    name = str(path.with_suffix(""))
    if name in taken:
        raise RuleError(f"there is another template named '{name}'", Place(file))
    return name


def _load(file: str, source: str) -> _Template:
    front = read_front(file, source)
    inputs = _input_names(front)
    names = inputs | (RESERVED - {"loop", "range"})
    errors: list[RuleError] = []

    def piece(value: Value, sandbox: Sandbox) -> Program | None:
        made = compile_piece(value.text, sandbox, value.place, names, inputs)
        if isinstance(made, Program):
            return made
        errors.extend(error for error in made if str(error) not in map(str, errors))
        return None

    subject = piece(front.subject, TEXT)
    from_name = piece(front.from_name, TEXT) if front.from_name else None
    body = Value(front.body, Place(file, front.body_line, 1))
    pieces = (piece(body, sandbox) for sandbox in DIALECTS[PurePosixPath(file).suffix])
    bodies = tuple(takewhile(bool, pieces))  # what one dialect refuses, the other does too
    if errors or subject is None:
        raise TemplateErrors(errors)
    return _Template(inputs, subject, from_name, tuple(made for made in bodies if made))


def _input_names(front: Front) -> frozenset[str]:
    seen: set[str] = set()
    for value in front.inputs:
        if not value.text.isidentifier() or value.text.startswith("_"):
            raise RuleError(f"'{value.text}' is no name: use letters, digits and _", value.place)
        if value.text in RESERVED or value.text in seen:
            raise RuleError(f"'{value.text}' is taken: choose another name", value.place)
        seen.add(value.text)
    return frozenset(seen)
