"""Judge one message by all rules. Pure: no clock, environment, log or wait."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from functools import lru_cache, partial
from typing import NamedTuple

from engine.mail.events import Event
from engine.mail.message import Message
from engine.mail.needs import NOTHING
from engine.rules.audience import NO_ONE, SPAM, Asked
from engine.rules.condition import NOT_MATCHED, Judged
from engine.rules.effects import ChangeLabels, Effect, SendMessage
from engine.rules.evaluation import Evaluation, Match, Undecided, Verdict
from engine.rules.home import Home
from engine.rules.memory import EMPTY, Beside, Memory
from engine.rules.reasons import reason_of
from engine.rules.remembering import note
from engine.rules.ruleset import Outcome, Rule, RuleSet
from engine.rules.view import View

MATCHED, UNDECIDED = Verdict.MATCHED, Verdict.UNDECIDED
NO_OUTCOME = Outcome((), ())
NO_CHANGE = ChangeLabels()

Taken = dict[str, tuple[int, str]]
"""Of each group of `mode: first`, which member applies, and by which rule that is known."""


class Step(NamedTuple):
    """One rule as it was judged: with what it saw, or why it was not asked."""

    rule: Rule
    view: View
    judged: Judged
    labels: frozenset[str]
    """Those that the message has after it."""
    outcome: Outcome = NO_OUTCOME
    unasked: str = ""
    acts: bool = True
    """Whether it counts: a rule in shadow changes nothing for others."""


def evaluate(
    ruleset: RuleSet,
    event: Event,
    message: Message,
    now: datetime,
    memory: Memory = EMPTY,
    *,
    final: bool = False,
    home: Home | None = None,
    awake: str = "",
) -> Evaluation:
    """Judge one message; with `final`, nothing more can be fetched and undecided rules do nothing.

    `memory` is what rules remember of earlier messages; what they have to remember of this one comes back.
    `awake` names a rule that acts although it is in shadow.
    """
    matches: list[Match] = []
    shadows: list[Match] = []
    undecided: list[Undecided] = []
    here = home or ruleset.homes.of(event.mailbox)
    beside = Beside(event.id, event.payload, memory)
    view, labels = View(message, now, home=here, beside=beside), message.labels
    audience = ruleset.audience(event.kind, event.mailbox)
    asked, blind = (audience.asked(view), NO_ONE) if awake else audience.parted(view)
    for step in steps(asked, view, final=final, awake=awake):
        if step.judged.verdict is MATCHED:
            (matches if step.acts else shadows).append(_match(step))
            labels = step.labels
        else:
            undecided.append(_undecided(step))
    return Evaluation(
        tuple(matches),
        tuple(audience.in_order(undecided, blind) if blind else undecided),
        net(message.labels, labels),
        tuple(view.noted),
        tuple(shadows),
        frozenset(view.unread),
    )


def steps(
    asked: Asked, view: View, *, final: bool = False, silent: bool = True, awake: str = ""
) -> Iterator[Step]:
    """Judge rules in order: each sees the labels that earlier ones planned; a stop ends its layer.

    Of rules that did not match nothing is said, unless not `silent`. A rule in shadow changes nothing for
    later ones, unless it is the one that is `awake`.
    """
    spam = SPAM in view.labels
    ended: dict[str, str] = {}
    taken: Taken = {}
    for rule in asked:
        if (spam or ended or taken) and (unasked := _unasked(rule, spam, ended, taken)):
            if not silent:
                yield Step(rule, view, NOT_MATCHED, view.labels, unasked=unasked)
            continue
        seen_by = view.within(rule.id) if rule.remembers else view
        judged = _judged(rule, seen_by, final=final)
        if judged is NOT_MATCHED:
            if not silent:
                yield Step(rule, seen_by, judged, view.labels)
            continue
        acts = rule.acts or rule.id == awake
        if judged.verdict is UNDECIDED:
            yield Step(rule, seen_by, judged, view.labels, NO_OUTCOME, "", acts)
            if final and acts:
                _end(rule, ended, taken)
            continue
        outcome = rule.outcome(judged.captures)
        labels = changed(view.labels, outcome.effects) if acts else view.labels
        yield Step(rule, seen_by, judged, labels, outcome, "", acts)
        if not acts:
            continue
        if labels != view.labels:
            view = view.relabelled(labels)
            asked.relabelled(view)
        _end(rule, ended, taken)


def _judged(rule: Rule, view: View, *, final: bool) -> Judged:
    """Ask a rule, and note what it has to remember."""
    judged = rule.judge(view)
    if rule.remembers:
        note(rule.when, view, decided=judged.verdict is not UNDECIDED)
    return settle(rule, judged, final=final) if judged.verdict is MATCHED else judged


def _end(rule: Rule, ended: dict[str, str], taken: Taken) -> None:
    """Note what a rule that applies, or stays undecided, puts an end to."""
    if rule.stop:
        ended[rule.layer] = rule.id
    for group, branch in rule.branches:
        taken.setdefault(group, (branch, rule.id))


def _unasked(rule: Rule, spam: bool, ended: Mapping[str, str], taken: Taken) -> str:
    if rule.layer in ended:
        return f"the layer was ended by {ended[rule.layer]}"
    if spam and not rule.names_spam:
        return "the message is in spam, and this rule does not name SPAM"
    return _elsewhere(rule, taken) if taken else ""


def _elsewhere(rule: Rule, taken: Taken) -> str:
    """Say which member of a group of `mode: first` applies in a rule's place."""
    for group, branch in rule.branches:
        chosen, by = taken.get(group, (branch, ""))
        if chosen != branch:
            return f"of the group {group}, {by} applies"
    return ""


def settle(rule: Rule, judged: Judged, *, final: bool) -> Judged:
    """Hold a match back while a part not fetched yet could bring other captures that the rule uses."""
    if not judged.needs:
        return judged
    if final or not rule.used_captures:
        return replace(judged, needs=NOTHING)
    return Judged(UNDECIDED, needs=judged.needs, why="captures may come from what was not fetched")


def changed(labels: frozenset[str], effects: Iterable[Effect]) -> frozenset[str]:
    """Carry label changes out, in order, up to the first effect that is to wait."""
    for effect in effects:
        if effect.after or (isinstance(effect, SendMessage) and effect.approval):
            break
        if isinstance(effect, ChangeLabels):
            labels = labels.difference(effect.remove).union(effect.add)
    return labels


def net(before: frozenset[str], after: frozenset[str]) -> ChangeLabels:
    """Say what leads from one set of labels to another."""
    return NO_CHANGE if before == after else _change(after - before, before - after)


@lru_cache(maxsize=1_000)
def _change(add: frozenset[str], remove: frozenset[str]) -> ChangeLabels:
    """Many messages get the same few changes."""
    return ChangeLabels(add=tuple(sorted(add)), remove=tuple(sorted(remove)))


def _undecided(step: Step) -> Undecided:
    rule, judged, acts = step.rule, step.judged, step.acts
    return Undecided(rule.id, judged.needs, judged.why, rule.stop and acts, not acts)


def _match(step: Step) -> Match:
    rule = step.rule
    return Match(
        rule=rule.id,
        actions=step.outcome.shown,
        effects=step.outcome.effects,
        captures=step.judged.captures,
        stop=rule.stop,
        tell=partial(reason_of, rule.when, step.view, "when"),
    )
