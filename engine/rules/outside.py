"""What rules may not ask for: recipients, endpoints and folders that the configuration does not allow."""

from __future__ import annotations

from collections.abc import Iterator

from engine.errors import RuleError
from engine.rules.action import Action
from engine.rules.findings import unknown
from engine.rules.places import place_of
from engine.rules.reach import Reach
from engine.rules.ruleset import Rule
from engine.rules.yaml import Node


def outside_errors(rule: Rule, root: Node, reach: Reach) -> Iterator[RuleError]:
    """Find what a rule's actions would reach and may not, and what stands behind a last one."""
    for number, action in enumerate(rule.then):
        location = (*rule.location, "then", number, action.key)
        if action.last and number + 1 < len(rule.then):
            said = f"'{action.key}' has to be the last action: what stands behind it finds no message"
            yield RuleError(said, place_of(root, location, rule.place.file))
        for below, said in _refused(action, reach):
            yield RuleError(said, place_of(root, (*location, *below), rule.place.file))


def _refused(action: Action, reach: Reach) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for below, kind, name in action.reaches():
        if kind == "recipient":
            if reach.recipients and not reach.recipients.include(name):
                yield (
                    below,
                    (f"'{name}' is outside our own domains; name it below outbound.allow in postroom.yaml"),
                )
            continue
        known = reach.endpoints if kind == "endpoint" else reach.folders
        if known is not None and name not in known:
            yield below, f"{unknown(kind, name, known)}; it stands below '{kind}s' in postroom.yaml"
