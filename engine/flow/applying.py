"""Rules applied to mail that is there already: what is left of a verdict, lest it is done twice. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from engine.flow.plan import Judged, Run, own_id, run_id
from engine.mail.events import Event
from engine.mail.message import Message
from engine.rules.conditions.thread import answered
from engine.rules.effects import ChangeLabels, Effect
from engine.rules.evaluate import changed, net
from engine.rules.evaluation import NOT_ONE_RULE, Evaluation, Match
from engine.rules.memory import Kept, Memory, in_ms

OFF = "sending is off: `apply --with-sends` lets it happen"
ACTED = "this rule has acted on this message already"
ACTED_MS = 90 * 86_400_000
"""For how long it is remembered that a rule has acted on a message because somebody applied it."""

Recorded = Mapping[str, Run | None]
"""Runs as the journal has them, by id; None where it has none."""


def leaves(effect: Effect) -> bool:
    """Whether an effect does more than to change labels: it can be neither repeated nor taken back."""
    return not isinstance(effect, ChangeLabels)


def earlier_runs(event: Event, match: Match) -> tuple[str, ...]:
    """Ids of the runs that would have done the same before: as mail came, and as somebody applied it."""
    asked = (True,) if event.sends else (True, False)
    ids = (own_id(event, match.rule, match.effects, sends=sends) for sends in asked)
    return (run_id(event.id, match.rule), *ids)


def runs_to_look_up(judged: Iterable[Judged]) -> Iterator[str]:
    """Ids of all runs on which it hangs what is done."""
    for item in judged:
        if item.event.applied:
            for match in item.evaluation.matches:
                yield from earlier_runs(item.event, match)


def narrowed(event: Event, message: Message, evaluation: Evaluation, recorded: Recorded) -> Evaluation:
    """Leave of a verdict what is asked for, was not done before, and changes anything."""
    if not event.applied:
        return evaluation
    labels, left = message.labels, []
    for match in evaluation.matches:
        if event.only not in ("", match.rule) or _was_done(event, match, recorded):
            continue
        after = changed(labels, match.effects)
        waits = any(effect.after and not leaves(effect) for effect in match.effects)
        if after != labels or waits or (event.sends and any(map(leaves, match.effects))):
            left.append(match)
            labels = after
    undecided = (
        one for one in evaluation.undecided if event.only in ("", one.rule) or one.rule == NOT_ONE_RULE
    )
    change = net(message.labels, labels)
    return replace(evaluation, matches=tuple(left), undecided=tuple(undecided), labels=change, shadows=())


class _AsOf(Mapping[str, Kept]):
    """What was remembered at a time; one key is left as it is."""

    def __init__(self, kept: Mapping[str, Kept], at: int, always: str) -> None:
        self._kept, self._at, self._always = kept, at, always

    def __getitem__(self, key: str) -> Kept:
        kept = self._kept[key]
        if key == self._always:
            return kept
        return replace(kept, sightings=tuple(one for one in kept.sightings if one[0] <= self._at))

    def __iter__(self) -> Iterator[str]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)


def as_of(message: Message, memory: Memory) -> Memory:
    """Leave out what came after a message: old mail is no copy of newer mail, and no part of its bursts."""
    if message.received is None:
        return memory
    return replace(memory, kept=_AsOf(memory.kept, in_ms(message.received), answered(message.thread)))


def _was_done(event: Event, match: Match, recorded: Recorded) -> bool:
    live, *applied = earlier_runs(event, match)
    run = recorded.get(live)
    by_mail = run is not None and not run.shadow and run.steps == match.effects
    return by_mail or any(recorded.get(one) for one in applied)


def acted(event: Event, rule: str, recorded: Recorded) -> bool:
    """Whether a rule did more than to change labels when the message came."""
    run = recorded.get(run_id(event.id, rule))
    if run is None or run.shadow:
        return False
    return any(leaves(step) and at not in run.held for at, step in enumerate(run.steps))


def acted_key(event: Event, rule: str) -> str:
    """What is remembered once a rule that is applied does more to a message than to change labels."""
    return f"{event.mailbox}:{rule}: applied:{event.key}"
