"""Why each rule matched or did not, by the same code that judges."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from itertools import islice

from engine.mail.events import Event
from engine.mail.message import Message
from engine.rules.audience import Everyone
from engine.rules.evaluate import Step, steps
from engine.rules.evaluation import Reason, Verdict
from engine.rules.event_name import told
from engine.rules.memory import EMPTY, Beside, Memory
from engine.rules.nearest import failed, nearest
from engine.rules.reasons import reason_of
from engine.rules.ruleset import Rule, RuleSet
from engine.rules.view import View

MAX_NAMED = 5
"""Conditions that are named in one line."""


def explain(
    ruleset: RuleSet,
    event: Event,
    message: Message,
    now: datetime,
    rule: str | None = None,
    memory: Memory = EMPTY,
) -> list[Reason]:
    """Give one reason per rule, in order; its path is the rule's id, its child the rule's tree."""
    everyone = Everyone(ruleset.listening(event.kind, event.mailbox))
    beside = Beside(event.id, event.payload, memory)
    view = View(message, now, home=ruleset.homes.of(event.mailbox), beside=beside)
    asked = steps(everyone, view, final=True, silent=False)
    judged = {step.rule.id: _judged(step) for step in asked if rule is None or step.rule.id == rule}
    return [
        judged.get(each.id) or _unheard(each, event, view)
        for each in ruleset.rules
        if rule is None or each.id == rule
    ]


def _judged(step: Step) -> Reason:
    tree = reason_of(step.rule.when, step.view, "when")
    if step.unasked:
        return _unasked(step.rule, tree, step.unasked)
    reason = Reason(step.rule.id, step.judged.verdict, _outcome(step, tree), (tree,))
    return reason if step.judged.verdict is Verdict.MATCHED else replace(reason, nearest=nearest(tree))


def _unasked(rule: Rule, tree: Reason, why: str) -> Reason:
    """Say what its conditions would have come to, although nobody asked."""
    held = "its conditions hold" if tree.verdict is Verdict.MATCHED else _named(tree)
    return Reason(
        rule.id, Verdict.NOT_MATCHED, f"was not asked: {why}; {held}", (tree,), nearest=nearest(tree)
    )


def _outcome(step: Step, tree: Reason) -> str:
    if step.judged.verdict is Verdict.UNDECIDED:
        return step.judged.why
    if step.judged.verdict is Verdict.NOT_MATCHED:
        return f"does not apply: {_named(tree)}"
    does = ", ".join(action.key for action in step.rule.then) or "nothing to do"
    if not step.acts:
        return f"would apply, and does nothing since it is in shadow: {does}"
    ends = f"; ends the layer '{step.rule.layer}'" if step.rule.stop else ""
    return f"applies: {does}{ends}"


def _named(tree: Reason) -> str:
    """Name the conditions that stand in the way."""
    paths = [f"{leaf.path} {_stands(leaf)}" for leaf in islice(failed(tree), MAX_NAMED + 1)]
    return ", ".join(paths[:MAX_NAMED] + ["and others"] * (len(paths) > MAX_NAMED))


def _stands(leaf: Reason) -> str:
    if leaf.verdict is Verdict.UNDECIDED:
        return "is undecided"
    return "holds" if leaf.verdict is Verdict.MATCHED else "fails"


def _unheard(rule: Rule, event: Event, view: View) -> Reason:
    if rule.event is not event.kind:
        why = f"listens to {told(rule.event)}, not to {told(event.kind)}"
    elif rule.state == "off":
        why = "it is off"
    else:
        why = f"its scope does not cover {event.mailbox}"
    return _unasked(rule, reason_of(rule.when, view, "when"), why)
