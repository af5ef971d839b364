"""One template in all its languages: which one somebody gets, what all of them need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.mail.needs import Need, Needs, union
from engine.templating.inputs import Input
from engine.templating.locales import DEFAULT_CHOICES, Choice, languages, nearest
from engine.templating.program import Program
from engine.templating.template import Template
from engine.templating.views import Context


@dataclass(frozen=True, slots=True)
class Entry:
    """One template in all its languages; `variants` are by language in normal form, "" its own."""

    file: str
    inputs: Mapping[str, Input]
    variants: Mapping[str, Template]
    tags: Mapping[str, str]
    """From a language to the key in `variants`."""
    choices: tuple[Choice, ...] = DEFAULT_CHOICES
    sample: Mapping[str, Any] = field(default_factory=dict)

    @property
    def needs(self) -> Needs:
        asks = len(self.variants) > 1 and any(choice.source == "header" for choice in self.choices)
        header = frozenset({Need.HEADERS} if asks else ())
        return union([header, *(template.needs for template in self.variants.values())])

    def choose(self, context: Context, inputs: Mapping[str, Any]) -> Template:
        """Take the language that somebody asks for first, else the template's own."""
        for choice in self.choices if len(self.variants) > 1 else ():
            header = (
                context.message.headers.text(choice.name)
                if choice.source == "header" and context.message
                else ""
            )
            asked = languages(
                choice,
                header=header,
                given=str(inputs.get(choice.name, "")),
                addresses=context.recipients,
                mailbox=context.mailbox,
            )
            for tag in asked:
                if tag and (found := nearest(tag, self.tags)) is not None:
                    return self.variants[found]
        return self.variants[""]

    def programs(self) -> Iterator[Program]:
        """Give every piece, in all languages."""
        for template in self.variants.values():
            yield from template.programs

    def captures(self) -> Mapping[str, bool]:
        """Captures that it reads in any language, and whether it always copes with the absence of each."""
        return _joined(program.captures for program in self.programs())

    def items(self) -> Mapping[str, bool]:
        """The same of what it reads of each of `items`."""
        return _joined(program.items for program in self.programs())


def _joined(found: Iterable[Mapping[str, bool]]) -> Mapping[str, bool]:
    joined: dict[str, bool] = {}
    for some in found:
        for name, copes in some.items():
            joined[name] = joined.get(name, True) and copes
    return joined
