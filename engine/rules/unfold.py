"""From the shape of a rule file to rules in order, groups taken apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from engine.mail.events import EventKind
from engine.rules.condition import Condition
from engine.rules.groups import ALWAYS, Entry, Group, Spared, joined
from engine.rules.model import GroupedRule, GroupModel, InnerGroup, Layer, RuleFile, RuleModel
from engine.rules.patterns import Pattern
from engine.rules.places import place_of
from engine.rules.ruleset import PlacedTest, Rule, TemplateUse
from engine.rules.schedule import Schedule
from engine.rules.templated import Templated
from engine.rules.text import fold
from engine.rules.unanswered import UNANSWERED
from engine.rules.yaml import Node

Location = tuple[str | int, ...]


@dataclass(frozen=True)
class _Around:
    """What a rule has from what stands around it."""

    root: Node
    file: str
    event: EventKind
    schedule: Schedule | None
    layer: Layer
    priority: int
    scope: tuple[Pattern, ...]
    groups: tuple[Group, ...] = ()
    branches: tuple[tuple[str, int], ...] = ()
    asked: tuple[Condition, ...] = ()
    """What has to hold before a rule's own condition is asked."""


def unfold(model: RuleFile, root: Node, file: str) -> Iterator[Rule]:
    """Give the rules of a file, in the order in which they stand there."""
    for index, item in enumerate(model.rules):
        around = _Around(
            root,
            file,
            event=item.kind,
            schedule=item.schedule,
            layer=item.layer or model.layer,
            priority=item.priority,
            scope=tuple(glob.mapped(fold) for glob in item.mailboxes or model.mailboxes or ()),
            asked=(UNANSWERED,) if item.after else (),
        )
        yield from _unfolded(item, ("rules", index), around)


def _unfolded(
    item: RuleModel | GroupModel | GroupedRule | InnerGroup, at: Location, around: _Around
) -> Iterator[Rule]:
    if isinstance(item, InnerGroup):
        yield from _members(item, (*at, "group"), around)
    else:
        yield _rule(item, at, around)


def _members(model: InnerGroup, at: Location, around: _Around) -> Iterator[Rule]:
    entry = _entry(model)
    group = Group(model.id, model.title, model.mode, place_of(around.root, (*at, "id"), around.file), entry)
    inside = replace(around, groups=(*around.groups, group), asked=(*around.asked, entry))
    earlier: list[Entry] = []
    for index, item in enumerate(model.rules):
        below = inside if model.mode == "all" else _alone(inside, (model.id, index), earlier)
        yield from _unfolded(item, (*at, "rules", index), below)
        if isinstance(item, InnerGroup) and _acts(item):
            earlier.append(_entry(item))


def _acts(item: GroupedRule | InnerGroup) -> bool:
    """Say whether any rule of it does: what only looks on takes nobody's place."""
    return any(map(_acts, item.rules)) if isinstance(item, InnerGroup) else item.state == "live"


def _entry(model: InnerGroup) -> Entry:
    return Entry.model_construct(group=model.id, condition=model.when or ALWAYS)


def _alone(inside: _Around, branch: tuple[str, int], earlier: list[Entry]) -> _Around:
    """Of `mode: first`: an earlier group that holds takes the place of what follows it."""
    spared = (Spared.model_construct(entries=tuple(earlier)),) if earlier else ()
    return replace(inside, branches=(*inside.branches, branch), asked=(*inside.asked, *spared))


def _rule(model: RuleModel | GroupedRule, at: Location, around: _Around) -> Rule:
    root, file = around.root, around.file
    return Rule(
        id=model.id,
        title=model.title,
        event=around.event,
        layer=around.layer,
        priority=around.priority,
        scope=around.scope,
        when=joined(list(around.asked), model.when or ALWAYS),
        then=model.then,
        stop=model.stop,
        place=place_of(root, (*at, "id"), file),
        tests=tuple(
            PlacedTest(test, place_of(root, (*at, "tests", number), file))
            for number, test in enumerate(model.tests)
        ),
        templates=tuple(_template_uses(model, around.event, root, file, at)),
        location=at,
        groups=around.groups,
        branches=around.branches,
        schedule=around.schedule,
        state=model.state,
    )


def _template_uses(
    rule: RuleModel | GroupedRule, event: EventKind, root: Node, file: str, at: Location
) -> Iterator[TemplateUse]:
    for number, action in enumerate(rule.then):
        if isinstance(action, Templated):
            place = place_of(root, (*at, "then", number, action.key), file)
            yield TemplateUse(action.template, dict(action.with_), place, action.items(event))
