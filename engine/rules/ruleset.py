"""A loaded set of rules in their total order."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from engine.errors import Place, RuleError
from engine.mail.events import EventKind
from engine.mail.needs import Needs
from engine.rules.action import Action
from engine.rules.audience import Audience, Audiences
from engine.rules.captures import uses
from engine.rules.condition import Condition, Judge, walk
from engine.rules.conditions.label import Label
from engine.rules.effects import AddToSummary, Effect, SendMessage
from engine.rules.expected import RuleTest
from engine.rules.groups import Group
from engine.rules.home import NOWHERE, Homes
from engine.rules.model import Layer, RuleState
from engine.rules.patterns import Pattern
from engine.rules.remembering import Remembering, remembers
from engine.rules.schedule import Schedule
from engine.rules.text import Captures, fold, to_bytes

LAYERS: tuple[Layer, ...] = ("before", "default", "after")


@dataclass(frozen=True)
class PlacedTest:
    """A rule's test and where it stands."""

    test: RuleTest
    place: Place


@dataclass(frozen=True)
class TemplateUse:
    """An action's use of a template, for the templates' own check."""

    template: str
    inputs: Mapping[str, str]
    place: Place
    items: frozenset[str] | None = None
    """What each item of a summary tells; None where the template is about one message."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a match comes to."""

    effects: tuple[Effect, ...]
    shown: tuple[Mapping[str, Any], ...]
    """One-key maps, for people and machines to read."""


@dataclass(frozen=True)
class Rule:
    """One rule, ready to be judged."""

    id: str
    title: str
    event: EventKind
    layer: Layer
    priority: int
    scope: tuple[Pattern, ...]
    """Its own mailboxes, else the file's, of which one glob must fit; none means all."""
    when: Condition
    then: tuple[Action, ...]
    stop: bool
    place: Place
    tests: tuple[PlacedTest, ...] = ()
    templates: tuple[TemplateUse, ...] = ()
    location: tuple[str | int, ...] = ()
    """Where it stands in its file's tree."""
    groups: tuple[Group, ...] = ()
    """Those it stands in, the outermost first; `when` holds what they ask."""
    branches: tuple[tuple[str, int], ...] = ()
    """Of each group of `mode: first`, its id and which of its members this is, or is part of."""
    state: RuleState = "live"
    schedule: Schedule | None = None
    """When it looks through its mailboxes."""

    @cached_property
    def acts(self) -> bool:
        """Whether what it decides is done, and counts for other rules."""
        return self.state == "live"

    def covers(self, mailbox: str) -> bool:
        """Say whether a mailbox is in scope; no mailbox ("") is in every scope."""
        if not mailbox or not self.scope:
            return True
        address = to_bytes(fold(mailbox))
        return any(glob.search(address) is not None for glob in self.scope)

    @cached_property
    def judge(self) -> Judge:
        """Ask what its `when` asks."""
        return self.when.judge

    def outcome(self, captures: Captures) -> Outcome:
        """Say what a match with these captures comes to."""
        return self._outcome(captures) if self._varies else self._only_outcome

    def _outcome(self, captures: Captures) -> Outcome:
        return Outcome(
            tuple(effect for action in self.then for effect in action.steps(captures)),
            tuple({action.key: action.shown(captures)} for action in self.then),
        )

    @cached_property
    def _only_outcome(self) -> Outcome:
        return self._outcome({})

    @cached_property
    def _varies(self) -> bool:
        return any("{{" in json.dumps(action.dumped) for action in self.then)

    @cached_property
    def used_captures(self) -> frozenset[str]:
        return frozenset(name for action in self.then for _, text in action.texts() for name, _ in uses(text))

    @cached_property
    def remembers(self) -> bool:
        """Whether it looks at what was remembered of earlier messages."""
        return remembers(self.when)

    @cached_property
    def awaits_answers(self) -> bool:
        """Whether it matters to it what we answered in the message's thread."""
        nodes = walk(self.when) if self.remembers else ()
        return any(isinstance(node, Remembering) and node.awaits_answers for node in nodes)

    @cached_property
    def sends(self) -> bool:
        """Whether mail leaves because of it."""
        return any(isinstance(effect, (SendMessage, AddToSummary)) for effect in self._outcome({}).effects)

    @cached_property
    def names_spam(self) -> bool:
        """Whether mail in spam reaches this rule."""
        return any(isinstance(node, Label) and node.names_spam for node in walk(self.when))


@dataclass(frozen=True)
class RuleSet:
    """All rules, in the order in which they are judged."""

    rules: tuple[Rule, ...]
    digest: str
    """SHA-256 over the canonical sources."""
    warnings: tuple[RuleError, ...] = ()
    fixtures: Mapping[str, bytes] = field(default_factory=dict)
    homes: Homes = NOWHERE
    """What the configuration says of the mailboxes that these rules judge for."""

    def audience(self, kind: EventKind, mailbox: str) -> Audience:
        """Give the rules that hear such an event, ready to be asked."""
        return self._audiences.of(kind, mailbox)

    def listening(self, kind: EventKind, mailbox: str) -> tuple[Rule, ...]:
        """Give the rules that hear such an event, in order."""
        return self.audience(kind, mailbox).rules

    def listens(self, kind: EventKind, mailbox: str) -> bool:
        """Say whether any rule hears such an event."""
        return bool(self.listening(kind, mailbox))

    def needs_for(self, kind: EventKind, mailbox: str) -> Needs:
        """Say what to fetch before judging; the raw bytes only once a rule turns out to need them."""
        return self.audience(kind, mailbox).needs

    def sends_from(self, mailbox: str) -> bool:
        """Say whether mail of ours may leave from a mailbox, so that bounces come back to it."""
        if mailbox not in self._senders:
            own = (rule for rule in self.rules if not rule.event.hook and rule.covers(mailbox))
            self._senders[mailbox] = self.homes.of(mailbox).sends or any(rule.sends for rule in own)
        return self._senders[mailbox]

    @cached_property
    def _senders(self) -> dict[str, bool]:
        """What is known so far, by mailbox; of those alone that have a lane, which are configured."""
        return {}

    def unanswered(self, mailbox: str) -> tuple[EventKind, ...]:
        """Give the kinds of events that come some time after a message of a mailbox did."""
        waiting = (rule.event for rule in self._waiting if rule.covers(mailbox))
        return tuple(dict.fromkeys(waiting))

    @cached_property
    def _waiting(self) -> tuple[Rule, ...]:
        return tuple(rule for rule in self.rules if rule.event.unanswered_s and rule.state != "off")

    @cached_property
    def schedules(self) -> Mapping[EventKind, tuple[Rule, ...]]:
        """By the kind of event that each sets off, the rules that hear it."""
        found: dict[EventKind, list[Rule]] = {}
        for rule in self.rules:
            if rule.schedule and rule.state != "off":
                found.setdefault(rule.event, []).append(rule)
        return {kind: tuple(rules) for kind, rules in found.items()}

    @cached_property
    def rehearsal(self) -> RuleSet:
        """The same with every rule asked, those that are off in shadow: for the tests of a rule at rest."""
        rules = (replace(rule, state="shadow") if rule.state == "off" else rule for rule in self.rules)
        return replace(self, rules=tuple(rules))

    @cached_property
    def _audiences(self) -> Audiences:
        return Audiences(self.rules)

    @cached_property
    def template_uses(self) -> tuple[TemplateUse, ...]:
        """Every use of a template, for the templates' own check."""
        return tuple(use for rule in self.rules for use in rule.templates)


def ordered(rules: Iterable[Rule], positions: Mapping[str, int]) -> tuple[Rule, ...]:
    """Put rules in their total order: layer, priority, file name, position in the file."""
    return tuple(
        sorted(
            rules,
            key=lambda rule: (
                LAYERS.index(rule.layer),
                rule.priority,
                rule.place.file,
                positions[rule.id],
            ),
        )
    )
