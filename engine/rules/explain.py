"""Why each rule matched or did not, by the same code that judges."""

from __future__ import annotations

from datetime import datetime

from engine.mail.events import Event
from engine.mail.message import Message
from engine.rules.audience import Everyone
from engine.rules.evaluate import Step, steps
from engine.rules.evaluation import Reason, Verdict
from engine.rules.reasons import reason_of
from engine.rules.ruleset import Rule, RuleSet
from engine.rules.view import View


def explain(
    ruleset: RuleSet, event: Event, message: Message, now: datetime, rule: str | None = None
) -> list[Reason]:
    """Give one reason per rule, in order; its path is the rule's id, its child the rule's tree."""
    everyone = Everyone(ruleset.listening(event.kind, event.mailbox))
    view = View(message, now, home=ruleset.homes.of(event.mailbox))
    asked = steps(everyone, view, final=True, silent=False)
    judged = {step.rule.id: _judged(step) for step in asked}
    return [
        judged.get(each.id) or _unheard(each, event)
        for each in ruleset.rules
        if rule is None or each.id == rule
    ]


def _judged(step: Step) -> Reason:
    if step.unasked:
        return Reason(step.rule.id, Verdict.NOT_MATCHED, f"was not asked: {step.unasked}")
    return Reason(
        step.rule.id, step.judged.verdict, _outcome(step), (reason_of(step.rule.when, step.view, "when"),)
    )


def _outcome(step: Step) -> str:
    if step.judged.verdict is Verdict.UNDECIDED:
        return step.judged.why
    if step.judged.verdict is Verdict.NOT_MATCHED:
        return "does not apply"
    ends = f"; ends the layer '{step.rule.layer}'" if step.rule.stop else ""
    return f"applies: {', '.join(action.key for action in step.rule.then) or 'nothing to do'}{ends}"


def _unheard(rule: Rule, event: Event) -> Reason:
    if rule.event is not event.kind:
        why = f"listens to {rule.event}, not to {event.kind}"
    else:
        why = f"its scope does not cover {event.mailbox}"
    return Reason(rule.id, Verdict.NOT_MATCHED, f"was not asked: {why}")
