"""From what was looked at to one commit: plan, memory, judged keys, footsteps."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from engine.flow.applying import Recorded, as_of, narrowed, runs_to_look_up
from engine.flow.clock import Clock, now_ms
from engine.flow.doubt_batch import is_in_doubt
from engine.flow.drafts import Drafts
from engine.flow.holding import Guard, Preparing, Profiles
from engine.flow.hydrate import Looked
from engine.flow.judging import judge_once, wanting
from engine.flow.later import timers_for
from engine.flow.mailboxes import Cursor, Mailboxes
from engine.flow.memory import answers, awaits_answers, judge_remembering, to_write
from engine.flow.patience import again_at
from engine.flow.plan import Judged, LabelGroup, Plan, Run, make_plan, run_id
from engine.flow.rulebook import Rulebook, Rulebooks
from engine.flow.sift import RECEPTIONS, Sifted, footstep, footsteps_of
from engine.flow.stores import Commit, Lanes, Queued, Verdicts
from engine.flow.writers import OUR_MESSAGE_ID
from engine.mail.events import Event, is_outbound
from engine.mail.message import Message
from engine.mail.needs import Needs
from engine.rules.memory import Ledger

More = Callable[[Sequence[tuple[Looked, Needs]]], Awaitable[list[Looked]]]
"""Fetches further parts of messages."""

FIRST_LOOK_MS, LOOK_AGAIN_MS = 1_000, 60_000
"""A part that could not be had is asked for again after so long; after ever longer, up to the second."""


@dataclass(frozen=True)
class Draining:
    """What draining needs."""

    lanes: Lanes
    mailboxes: Mailboxes
    books: Rulebooks
    drafts: Drafts
    clock: Clock = now_ms
    configured: frozenset[str] = frozenset()
    """Every mailbox that is ours, in service or not."""
    answer_within: int = 7 * 86_400_000
    """Nothing is sent because of mail that arrived longer ago, in ms."""


@dataclass(frozen=True, slots=True)
class Decided:
    """The part of a batch that leaves the lane now."""

    taken: tuple[Queued, ...]
    sifted: Sifted
    judged_before: frozenset[str]
    looked: tuple[Looked, ...]
    profiles: Profiles
    """Our mailboxes: whom we are, and who is away."""
    cursor: Cursor
    pending: tuple[LabelGroup, ...] = ()
    """Label changes of earlier batches that are still to come."""


async def prepare(
    draining: Preparing, book: Rulebook, lane: str, decided: Decided, now: int, more: More
) -> Commit:
    """Turn one batch into a plan and all that has to be written with it."""
    started = datetime.fromtimestamp(decided.cursor.started / 1000, UTC)
    recorded: dict[str, Run | None] = {}
    while True:
        short: dict[str, Needs] = {}
        judging = partial(_judge_in_order, decided, book, started, now, recorded, short)
        judged, ledger = await judge_remembering(draining.lanes, lane, decided.looked, judging)
        wanted = set(runs_to_look_up(judged)) - recorded.keys()
        if not wanted and not short:
            break
        recorded |= await draining.lanes.recorded(sorted(wanted))
        decided = await _completed(decided, short, more)
    guard = await Guard.load(draining, lane, decided.profiles, judged, recorded, now)
    plan = make_plan(judged, book.digest, now / 1000, guard.hold)
    if awaits_answers(book.rules, lane):
        ledger.add(answers(judged, plan, now))
    waiting = tuple(
        (
            replace(one.queued, since=one.queued.since or now),
            again_at(one.queued.since or now, now, FIRST_LOOK_MS, LOOK_AGAIN_MS),
        )
        for one in decided.looked
        if one.evaluation is None
    )
    aside = {queued.entry for queued, _ in waiting}
    return Commit(
        done=tuple(one for one in decided.taken if one.entry not in aside),
        waiting=waiting,
        judged=tuple(_verdicts(decided, judged, plan)),
        digest=book.digest,
        runs=plan.runs,
        groups=plan.groups,
        once=guard.taken_now,
        footsteps=tuple(_footsteps(plan)),
        heard=_heard(decided),
        doubtful=_doubtful(judged, plan, decided.cursor, now),
        memory=to_write(ledger, now),
        timers=tuple(timers_for(_received(decided, judged), judged, book.rules, lane, now)),
        following=tuple(event for one in decided.looked for event in one.following),
    )


async def _completed(decided: Decided, short: Mapping[str, Needs], more: More) -> Decided:
    """Fetch what messages lack, by their entries."""
    lacking = [one for one in decided.looked if one.queued.entry in short]
    if not lacking:
        return decided
    found = await more([(one, short[one.queued.entry]) for one in lacking])
    again = {one.queued.entry: one for one in found}
    looked = tuple(again.get(one.queued.entry, one) for one in decided.looked)
    return replace(decided, looked=looked)


def _judge_in_order(
    decided: Decided,
    book: Rulebook,
    started: datetime,
    now: int,
    recorded: Recorded,
    short: dict[str, Needs],
    ledger: Ledger,
) -> list[Judged]:
    """What was decided, in order; a later event sees labels planned and what was remembered before it.

    What rules turn out to need only then, and was not asked for yet, goes into `short` by entry.
    """
    short.clear()
    planned: dict[str, frozenset[str]] = {}
    judged = []
    for one in decided.looked:
        if one.evaluation is None or (one.message and _is_not_ours_to_judge(one, started)):
            continue
        event, message, evaluation = one.queued.event, one.message, one.evaluation
        if message:
            labels = planned.get(event.key, _to_come(message, decided.pending))
            if labels != message.labels or evaluation.unread:
                message = message.relabelled(labels)
                memory = as_of(message, ledger.memory) if event.applied else ledger.memory
                evaluation = judge_once(book, event, message, now, memory, profiles=decided.profiles)
                if not (wanted := wanting(evaluation)) <= one.had:
                    short[one.queued.entry] = wanted
                elif evaluation.undecided:
                    evaluation = judge_once(
                        book, event, message, now, memory, profiles=decided.profiles, final=True
                    )
            ledger.add(evaluation.remembered)
            evaluation = narrowed(event, message, evaluation, recorded)
            change = evaluation.labels
            planned[event.key] = (message.labels - set(change.remove)) | set(change.add)
        judged.append(Judged(event, message, evaluation, one.queued.trace))
    return judged


def _to_come(message: Message, pending: Iterable[LabelGroup]) -> frozenset[str]:
    """The labels that a message will have once earlier changes are carried out."""
    labels = message.labels
    for group in pending:
        if message.key in group.runs:
            labels = labels.difference(group.remove).union(group.add)
    return labels


def _is_not_ours_to_judge(one: Looked, started: datetime) -> bool:
    """Mail that a listing brought up and that is older than our service, or went out from here."""
    event, message = one.queued.event, one.message
    if message is None:
        return False
    older = message.received is not None and message.received < started
    if event.applied or event.kind.scheduled:
        return is_outbound(message.labels) or "TRASH" in message.labels
    if event.kind not in RECEPTIONS:
        return older and event.kind.unanswered_s > 0
    if event.history == 0:
        return older or is_outbound(message.labels)
    return "SENT" in message.labels and OUR_MESSAGE_ID in message.message_id


def _verdicts(decided: Decided, judged: Sequence[Judged], plan: Plan) -> Iterator[Verdicts]:
    """Every reception that leaves the lane judged, with the rules that have a run for it."""
    rules: dict[str, list[str]] = {}
    for run in plan.runs:
        if run.id == run_id(run.event, run.rule):
            rules.setdefault(run.event, []).append(run.rule)
    for event in _received(decided, judged):
        yield Verdicts(event.key, tuple(rules.get(event.id, ())))


def _received(decided: Decided, judged: Sequence[Judged]) -> Iterator[Event]:
    """Every reception that leaves the lane judged for the first time, whether a rule hears it or not."""
    known = {item.event.id for item in judged if not item.event.applied}
    passed = {one.entry for one in decided.sifted.passed}
    aside = {
        one.queued.event.id
        for one in decided.looked
        if one.evaluation is None and not one.queued.event.applied
    }
    for queued in decided.taken:
        event = queued.event
        if (
            event.kind not in RECEPTIONS
            or event.applied
            or event.key in decided.judged_before
            or event.id in aside
        ):
            continue
        if event.id in known or (queued.entry in passed and not is_outbound(event.labels)):
            yield event


def _footsteps(plan: Plan) -> Iterator[str]:
    for group in plan.groups:
        for key in group.keys:
            yield from (footstep(key, "+", label) for label in group.add)
            yield from (footstep(key, "-", label) for label in group.remove)


def _heard(decided: Decided) -> tuple[str, ...]:
    came = {step for queued in decided.taken for step in footsteps_of(queued.event)}
    return tuple(step for step in decided.sifted.heard if step in came)


def _doubtful(judged: Sequence[Judged], plan: Plan, cursor: Cursor, now: int) -> frozenset[str]:
    """Runs of events that were there, and perhaps decided, before writes were lost."""
    events = {item.event.id for item in judged if is_in_doubt(item.event, item.message, cursor, now)}
    return frozenset(run.id for run in plan.runs if run.event in events)
