"""All templates by name: ask what they need, check how rules use them, render them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from engine.errors import Place, PostroomError, RuleError, TemplateError
from engine.mail.needs import Needs, union
from engine.templating.entry import Entry
from engine.templating.environment import TEXT
from engine.templating.filling import fill
from engine.templating.grammar import unknown
from engine.templating.inputs import convert
from engine.templating.limits import LimitError
from engine.templating.loading import load
from engine.templating.locales import nearest
from engine.templating.program import Program, compile_input
from engine.templating.rendered import Rendered
from engine.templating.summaries import summary_errors
from engine.templating.template import Template
from engine.templating.views import Context

__all__ = ["Context", "Entry", "Library", "Rendered", "TemplateErrors", "load_templates"]


class TemplateErrors(PostroomError):
    """Every fault of every template file; see `errors`."""

    def __init__(self, errors: Sequence[RuleError]) -> None:
        super().__init__("\n".join(map(str, errors)))
        self.errors = list(errors)


class Library:
    """A fixed set of templates."""

    def __init__(self, entries: Mapping[str, Entry]) -> None:
        self._entries = dict(entries)

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._entries)

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def entry(self, name: str) -> Entry:
        """Give a template. Raises TemplateError."""
        if name not in self._entries:
            raise TemplateError(unknown("template", name, self.names))
        return self._entries[name]

    def needs(self, name: str, inputs: Mapping[str, str] | None = None) -> Needs:
        """Name what must be fetched of the message before rendering, its inputs included."""
        return self.entry(name).needs | text_needs(inputs or {})

    def check(
        self,
        name: str,
        inputs: Mapping[str, str] | Iterable[str],
        place: Place,
        captures: tuple[frozenset[str], frozenset[str]] | None = None,
        items: frozenset[str] | None = None,
    ) -> list[RuleError]:
        """List what is wrong with a rule's use of a template; `place` is where the rule says so.

        `captures` are those that the rule's patterns may supply, and those that every match supplies; `items`
        is what each item of a summary tells, None where the template is about one message.
        """
        if name not in self:
            return [RuleError(unknown("template", name, self.names), place)]
        entry = self._entries[name]
        if items is not None:
            texts = inputs.values() if isinstance(inputs, Mapping) else ()
            made = [compile_input(text, TEXT, place) for text in texts]
            wrong = [error for one in made if not isinstance(one, Program) for error in one]
            return wrong + list(summary_errors(name, entry, items, place))
        given = frozenset(inputs)
        required = {key for key, one in entry.inputs.items() if one.required}
        found = [
            RuleError(f"template '{name}' needs the input '{key}'", place) for key in sorted(required - given)
        ]
        declared = frozenset(entry.inputs)
        found += [RuleError(unknown("input", key, declared), place) for key in sorted(given - declared)]
        for key, text in inputs.items() if isinstance(inputs, Mapping) else ():
            found += _check_text(entry, key, text, place)
        return found + (_check_captures(name, entry, place, *captures) if captures else [])

    def render(self, name: str, context: Context, language: str = "") -> Rendered:
        """Fill a template in; in the language given, else the one to be chosen. Raises TemplateError."""
        entry = self.entry(name)
        inputs = fill(name, entry.inputs, context)
        try:
            return _template(name, entry, context, inputs, language).render(context, inputs)
        except LimitError as error:
            raise TemplateError(f"template '{name}' {error}") from None


def text_needs(texts: Mapping[str, str]) -> Needs:
    """Name what must be fetched of the message before a rule's texts are rendered."""
    pieces = [compile_input(text, TEXT, Place(key)) for key, text in texts.items()]
    return union(piece.needs for piece in pieces if isinstance(piece, Program))


def _template(
    name: str, entry: Entry, context: Context, inputs: Mapping[str, Any], language: str
) -> Template:
    if not language:
        return entry.choose(context, inputs)
    found = nearest(language, entry.tags)
    if found is None:
        raise TemplateError(f"template '{name}' has no variant in '{language}'")
    return entry.variants[found]


def _check_text(entry: Entry, key: str, text: str, place: Place) -> list[RuleError]:
    """Find what is wrong with one input's text, and literals that are not of its type."""
    made = compile_input(text, TEXT, place)
    if not isinstance(made, Program):
        return list(made)
    if key in entry.inputs and "{{" not in text and "{%" not in text:
        try:
            convert(entry.inputs[key].type, text)
        except ValueError as error:
            return [RuleError(f"the input '{key}' {error}", place)]
    return []


def _check_captures(
    name: str, entry: Entry, place: Place, possible: frozenset[str], sure: frozenset[str]
) -> list[RuleError]:
    """Find captures that the template itself reads, and that a path of the rule may lack."""
    found = []
    for capture, copes in sorted(entry.captures().items()):
        if capture not in possible and not copes:
            message = f"template '{name}' reads the capture '{capture}', and no pattern of this rule has it"
            found.append(RuleError(message, place))
        elif capture not in sure and not copes:
            message = (
                f"template '{name}' reads the capture '{capture}', which not every way to match supplies"
            )
            found.append(RuleError(message, place))
    return found


def load_templates(sources: Mapping[str, str]) -> Library:
    """Compile template files, given as file name -> text, files to send in base64.

    Raises TemplateErrors with every fault.
    """
    entries, errors = load(sources)
    if errors:
        raise TemplateErrors(errors)
    return Library(entries)
