"""Rules as a person reads them: in the order in which they are judged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from engine.mail.events import EventKind
from engine.rules.action import Action
from engine.rules.event_name import told
from engine.rules.ruleset import Rule
from engine.rules.templated import Sends

MODES = {"all": "all that hold", "first": "the first that holds"}


def as_dict(rule: Rule) -> dict[str, Any]:
    """One rule, as machines read it."""
    return {
        "id": rule.id,
        "title": rule.title,
        "layer": rule.layer,
        "priority": rule.priority,
        "file": rule.place.file,
        "line": rule.place.line,
        "groups": [{"id": group.id, "mode": group.mode} for group in rule.groups],
        "event": str(rule.event),
        "mailboxes": _scope(rule),
        "actions": [action.key for action in rule.then],
        "stop": rule.stop,
        "state": rule.state,
    }


def as_lines(rules: Sequence[Rule]) -> Iterator[str]:
    """Layers and groups as headings, below them a line for each rule."""
    if not rules:
        yield "no rules"
    layer, groups = "", list[str]()
    width = max((2 * len(rule.groups) + len(rule.id) for rule in rules), default=0)
    for number, rule in enumerate(rules, 1):
        if rule.layer != layer:
            layer, groups = rule.layer, []
            yield f"layer {layer}"
        yield from _headings(rule, groups)
        groups = [group.id for group in rule.groups]
        name = f"{'  ' * len(rule.groups)}{rule.id}"
        yield f"{number:5}  {name:<{width}}  {'; '.join(_traits(rule))}"


def _headings(rule: Rule, before: list[str]) -> Iterator[str]:
    """Name the groups that begin with a rule."""
    for depth, group in enumerate(rule.groups):
        if before[: depth + 1] != [each.id for each in rule.groups[: depth + 1]]:
            yield f"       {'  ' * depth}group {group.id}: {MODES[group.mode]}"


def _traits(rule: Rule) -> Iterator[str]:
    yield f"{rule.place.file}:{rule.place.line}"
    yield f"priority {rule.priority}"
    yield ", ".join(_scope(rule))
    if rule.event is not EventKind.MESSAGE_RECEIVED:
        yield f"on {told(rule.event)}{f' {rule.schedule.cron}' if rule.schedule else ''}"
    yield ", ".join(map(_told, rule.then)) or "no action"
    if rule.stop:
        yield f"stop ends {rule.layer}"
    if not rule.acts:
        yield rule.state


def _told(action: Action) -> str:
    if isinstance(action, Sends) and action.mode != "send":
        return f"{action.key} ({action.mode})"
    return action.key


def _scope(rule: Rule) -> list[str]:
    return [glob.source for glob in rule.scope] or ["*"]
