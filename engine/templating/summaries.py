"""Templates about many at once: what a summary gives them, and what they may read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set

from engine.errors import Place, RuleError
from engine.templating.entry import Entry
from engine.templating.grammar import unknown
from engine.templating.inputs import Type

GIVES: Mapping[str, tuple[Type, ...]] = {
    "items": ("list",),
    "count": ("number", "text"),
    "more": ("number", "text"),
    "key": ("text",),
}
"""The inputs that a summary gives, and of which type a template may declare each.

`count` is how many there were, `more` how many of them are not among `items`.
"""
OF_ONE = frozenset({"message", "captures", "steps", "payload"})
"""What a template can read where it is about one message or one call."""


def summary_errors(name: str, entry: Entry, fields: Set[str], place: Place) -> Iterator[RuleError]:
    """Find what a template asks for that a summary, whose items have these fields, does not give."""
    if "items" not in entry.inputs:
        yield RuleError(f"template '{name}' shows no items; write inputs: {{items: list}} in it", place)
    for key, one in sorted(entry.inputs.items()):
        if key in GIVES and one.type not in GIVES[key]:
            yield RuleError(f"the input '{key}' of template '{name}' has to be a {GIVES[key][0]}", place)
        elif key not in GIVES and one.required:
            given = ", ".join(GIVES)
            message = f"template '{name}' needs the input '{key}', and a summary gives {given} alone"
            yield RuleError(message, place)
    for owner in sorted(OF_ONE & _names(entry)):
        message = f"template '{name}' reads `{owner}`, and a summary is about many; put it into `with`"
        yield RuleError(message, place)
    for key, copes in sorted(entry.items().items()):
        if key not in fields and not copes:
            yield RuleError(f"template '{name}': {unknown('field of an item', key, fields)}", place)


def _names(entry: Entry) -> Set[str]:
    return {name for program in entry.programs() for name in program.names}
