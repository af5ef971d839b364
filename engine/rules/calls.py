"""What rules on calls of hooks may not say: a call brings JSON along, and no message."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.errors import RuleError
from engine.mail.needs import NOTHING, Needs
from engine.rules.condition import walk
from engine.rules.places import place_of
from engine.rules.ruleset import Rule
from engine.rules.templated import Templated
from engine.rules.yaml import Node

ASKS = "asks about a message, and a call of a hook brings none; write payload: {path: ...}"
ACTS = "acts on a message, and a call of a hook brings none; write send or http"
READS = "reads the message, and a call of a hook brings none; read payload in it"


def call_errors(rule: Rule, root: Node, templates: Mapping[str, Needs] | None) -> Iterator[RuleError]:
    """Find conditions, actions and templates of a hook's rule that would look for a message."""
    if rule.event.of_message:
        return
    yield from _conditions(rule, root)
    for number, action in enumerate(rule.then):
        place = place_of(root, (*rule.location, "then", number, action.key), rule.place.file)
        if action.of_message:
            yield RuleError(f"'{action.key}' {ACTS}", place)
        elif isinstance(action, Templated) and (templates or {}).get(action.template, NOTHING):
            yield RuleError(f"template '{action.template}' {READS}", place)


def _conditions(rule: Rule, root: Node) -> Iterator[RuleError]:
    place = place_of(root, (*rule.location, "when"), rule.place.file)
    asking = {one.key for one in walk(rule.when) if one.needs and not one.members}
    yield from (RuleError(f"'{key}' {ASKS}", place) for key in sorted(asking))
