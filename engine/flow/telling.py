"""What is counted and logged on the way of an event: ids, rules and mailboxes, never what a message says.

One line a batch at level info, with the traces of its events; one line an event at level debug.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager

from engine import metrics, tracing
from engine.flow.hydrate import Looked
from engine.flow.plan import LabelGroup, Run
from engine.flow.stores import Commit, Queued, Settled

log = logging.getLogger("postroom.drain")
steps_log = logging.getLogger("postroom.execute")

TRACES = 8
"""So many ids are named in the line of a batch."""


def drain_span(lane: str, queued: Sequence[Queued]) -> AbstractContextManager[None]:
    """The work on one batch: it belongs to the cause of its first event, and to the others' by links."""
    others = list(dict.fromkeys(one.trace for one in queued[1:]))
    return tracing.span("drain", queued[0].trace, others, mailbox=lane, events=len(queued))


def labels_span(lane: str, group: LabelGroup) -> AbstractContextManager[None]:
    """One label call: it belongs to the cause of its first run, and to the others' by links."""
    causes = list(dict.fromkeys(part.trace for parts in group.runs.values() for part in parts))
    first, *others = causes or [""]
    return tracing.span("labels", first, others, mailbox=lane, messages=len(group.keys))


def batch_decided(lane: str, looked: Sequence[Looked], commit: Commit) -> None:
    """A batch was committed."""
    metrics.DECIDED.add(lane, by=len(commit.done))
    undecided = [(one, rule) for one in looked if one.evaluation for rule in one.evaluation.undecided]
    matched = [run for run in commit.runs if not run.undecided and not run.shadow]
    for run in commit.runs:
        if run.shadow:
            metrics.DECISIONS.add(run.rule, "shadow")
    for run in matched:
        metrics.DECISIONS.add(run.rule, "matched")
        if run.held:
            metrics.DECISIONS.add(run.rule, "held")
    for _, rule in undecided:
        metrics.DECISIONS.add(rule.rule, "undecided")
    labelled = frozenset(key for group in commit.groups for key in group.keys)
    for kind, outcome in (found for run in matched for found in _settled_by_commit(run, labelled)):
        metrics.EFFECTS.add(kind, outcome)
    log.info(
        "%s: %d decided, %d runs, %d put aside%s",
        lane,
        len(commit.done),
        len(commit.runs),
        len(commit.waiting),
        _others(commit.done),
    )
    if log.isEnabledFor(logging.DEBUG):
        _tell_each(commit, [(one.queued.event.id, rule.rule) for one, rule in undecided])


def step_settled(run: Run, settled: Settled) -> None:
    """A step got its receipt."""
    kind, outcome = run.steps[settled.step].kind, settled.receipt["outcome"]
    metrics.EFFECTS.add(kind, outcome)
    if approval := settled.receipt.get("approval"):
        metrics.APPROVALS.add(approval)
    steps_log.info("run %s of %s, step %d: %s %s", run.id, run.rule, settled.step, kind, outcome)


def labels_settled(lane: str, group: LabelGroup, settled: Sequence[Settled]) -> None:
    """A label call was answered for good."""
    if not settled:
        return
    outcome = settled[0].receipt["outcome"]
    metrics.EFFECTS.add("labels", outcome, by=len(settled))
    steps_log.info("%s: labels of %d messages %s", lane, len(group.keys), outcome)
    if steps_log.isEnabledFor(logging.DEBUG):
        traces = {part.run: part.trace for parts in group.runs.values() for part in parts}
        for one in settled:
            told = {"trace": tracing.id_of(traces.get(one.run, ""))}
            steps_log.debug("run %s, step %d: labels %s", one.run, one.step, outcome, extra=told)


def _settled_by_commit(run: Run, labelled: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Steps that commit itself gave a receipt: held ones, and label changes that change nothing."""
    for step, effect in enumerate(run.steps):
        if step in run.held:
            yield effect.kind, "held"
        elif step < run.grouped and run.key not in labelled:
            yield effect.kind, "unchanged"


def _others(done: Sequence[Queued]) -> str:
    """The traces of a batch beside the one that its line bears anyway."""
    here = tracing.id_of(tracing.current())
    traces = [trace for trace in dict.fromkeys(tracing.id_of(one.trace) for one in done) if trace]
    others = [trace for trace in traces if trace != here]
    if not others:
        return ""
    more = f" and {len(others) - TRACES} more" if len(others) > TRACES else ""
    return f"; also for {' '.join(others[:TRACES])}{more}"


def _tell_each(commit: Commit, undecided: Sequence[tuple[str, str]]) -> None:
    rules: dict[str, list[str]] = {}
    for run in commit.runs:
        if not run.undecided:
            rules.setdefault(run.event, []).append(f"{run.rule} (in shadow)" if run.shadow else run.rule)
    open_rules: dict[str, list[str]] = {}
    for name, rule in undecided:
        open_rules.setdefault(name, []).append(rule)
    for one in commit.done:
        # Not the event's whole id: a label's change names the label, maybe with words of a message.
        event = one.event
        log.debug(
            "%s %s %s: %s matched%s",
            event.mailbox,
            event.kind,
            event.key or event.history,
            ", ".join(rules.get(event.id, ())) or "no rule",
            f", {', '.join(open_rules[event.id])} undecided" if event.id in open_rules else "",
            extra={"trace": tracing.id_of(one.trace)},
        )
