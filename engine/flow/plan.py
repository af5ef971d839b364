"""From evaluations to a plan: runs, and label changes merged over the batch. Pure.

Label changes go first and together: those that stand before a rule's first other effect are merged
per message (the later rule wins) and messages with the same net change form one group.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict

from engine.flow.writers import behalf, writers
from engine.mail.events import Event, EventKind
from engine.mail.message import Message
from engine.rules.effects import ChangeLabels, Effect, SendMessage
from engine.rules.evaluate import changed
from engine.rules.evaluation import NOT_ONE_RULE, Evaluation, Match, Undecided

Holder = Callable[[str, Effect, Message, Event], str | None]
"""(rule, effect, message, event) -> why the guard holds it, or None."""


class Run(BaseModel):
    """One rule matched by one event: what the journal keeps of it, without any message text."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    rule: str
    event: str
    kind: EventKind
    mailbox: str
    key: str
    digest: str
    """The rules and templates that decided it and that it is carried out with."""
    created: float
    steps: tuple[Effect, ...] = ()
    grouped: int = 0
    """How many leading steps are label changes, carried out with the batch."""
    held: dict[int, str] = {}
    captures: dict[str, str] = {}
    labels: tuple[str, ...] | None = None
    """The message's labels when it was judged, sorted; None where that was not written down."""
    place: int = 0
    """How many runs of its batch come before it with the same message."""
    found: tuple[str, ...] | None = None
    """The labels that these leave to it; None where they are those of when it was judged."""
    thread: str = ""
    """The message's thread, "" where the service names none."""
    writers: tuple[str, ...] = ()
    """Who wrote the message, so that mail which comes round to the same is known: digests, no addresses."""
    behalf: str = ""
    """As whom its author counts where somebody elsewhere is answered; "" for as themselves."""
    depth: int = 0
    """How many events that rules set off led here."""
    origin: str = ""
    """The kind of the event that the first of these was about."""
    undecided: str = ""
    """Why the rule could not be judged; such a run has no steps and needs a person."""
    shadow: bool = False
    """Whether nothing is done: its rule is in shadow."""
    trace: str = ""
    """The traceparent of its event."""
    arrived: int = 0
    """When its message arrived, or where that is unknown, when it was decided (epoch ms)."""


class RunLabels(BaseModel):
    """What one label group means to one run."""

    model_config = ConfigDict(frozen=True)

    run: str
    steps: tuple[int, ...]
    """Steps that this group settles; empty for a run that only waits for it."""
    back: tuple[str, ...] = ()
    """What takes each of these steps back, for its receipt: in groups that an older version wrote."""
    more: bool
    """Whether the run goes on after its label changes."""
    trace: str = ""
    """The traceparent of its event."""


class LabelGroup(BaseModel):
    """Messages of one mailbox that get the same net change."""

    model_config = ConfigDict(frozen=True)

    add: tuple[str, ...]
    remove: tuple[str, ...]
    keys: tuple[str, ...]
    runs: dict[str, tuple[RunLabels, ...]]
    """Per message key."""
    tries: int = 0
    since: int = 0
    """When it was first tried in vain (epoch ms)."""
    again: int = 0
    """Not to be tried before (epoch ms)."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One event with what judging it gave; `message` is None where nothing was read."""

    event: Event
    message: Message | None = None
    evaluation: Evaluation = field(default_factory=Evaluation)
    trace: str = ""
    """The traceparent of what brought the event here."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a drain decided on."""

    runs: tuple[Run, ...]
    groups: tuple[LabelGroup, ...]


def run_id(event: str, rule: str) -> str:
    """The same event and rule always give the same run."""
    return hashlib.sha256(f"{event}\0{rule}".encode()).hexdigest()[:32]


def due_at(run: Run, step: int) -> int:
    """When a step may begin (epoch ms): `after` counts from the moment of planning."""
    return round(run.created * 1000) + run.steps[step].after * 1000


def own_id(event: Event, rule: str, steps: Sequence[Effect], *, sends: bool) -> str:
    """Name the run of a rule; of one that is applied to mail that is there already, for these very steps."""
    if not event.applied:
        return run_id(event.id, rule)
    told = json.dumps([(step.kind, step.model_dump(exclude_defaults=True)) for step in steps], sort_keys=True)
    return run_id(f"{event.id}\0applied {sends}\0{told}", rule)


def make_plan(judged: Sequence[Judged], digest: str, now: float, hold: Holder) -> Plan:
    """Turn evaluations, in the order of their events, into runs and label groups."""
    turns = _Turns()
    runs = tuple(run for item in judged for run in _runs(item, digest, now, hold, turns))
    return Plan(runs, _groups(judged, runs))


class _Turns:
    """Tells of each run how many come before it with its message, and which labels they leave to it."""

    def __init__(self) -> None:
        self._left: dict[str, tuple[int, frozenset[str]]] = {}

    def next(self, item: Judged, steps: Sequence[Effect]) -> dict[str, Any]:
        """Give what the next run notes of that; `steps` are its own that go with the batch."""
        if item.message is None:
            return {}
        labels = item.message.labels
        place, found = self._left.get(item.event.key, (0, labels))
        self._left[item.event.key] = place + 1, changed(found, steps)
        if not place:
            return {}
        return {"place": place, "found": None if found == labels else tuple(sorted(found))}


def _runs(item: Judged, digest: str, now: float, hold: Holder, turns: _Turns) -> Iterable[Run]:
    for match in item.evaluation.matches:
        yield _matched(item, match, digest, now, hold, turns)
    for match in item.evaluation.shadows:
        captures = dict(match.captures)
        yield _run(item, match.rule, digest, now, steps=match.effects, captures=captures, shadow=True)
    for undecided in item.evaluation.undecided:
        if undecided.shadow:
            continue
        wanting = bool(undecided.needs) or undecided.rule == NOT_ONE_RULE
        if wanting or (undecided.stop and not _is_encrypted(item)):
            yield _undecided(item, undecided, digest, now)


def _is_encrypted(item: Judged) -> bool:
    """Say whether it can never be read: that is no case for a person, message after message."""
    return item.message is not None and item.message.encrypted


def _matched(item: Judged, match: Match, digest: str, now: float, hold: Holder, turns: _Turns) -> Run:
    event, message = item.event, item.message
    held = {
        index: reason
        for index, effect in enumerate(match.effects)
        if message and (reason := hold(match.rule, effect, message, event))
    }
    grouped = _leading_labels(match.effects)
    return _run(
        item,
        match.rule,
        digest,
        now,
        steps=match.effects,
        grouped=grouped,
        held=held,
        captures=dict(match.captures),
        **turns.next(item, match.effects[:grouped]),
        **_writers(message, match.effects),
    )


def _writers(message: Message | None, effects: Iterable[Effect]) -> dict[str, Any]:
    """Who wrote the message because of which mail leaves; its header was read for that."""
    if message is None or not any(isinstance(effect, SendMessage) for effect in effects):
        return {}
    return {"writers": writers(message), "behalf": behalf(message)}


def _undecided(item: Judged, undecided: Undecided, digest: str, now: float) -> Run:
    return _run(item, undecided.rule, digest, now, undecided=undecided.why)


def _run(item: Judged, rule: str, digest: str, now: float, **decided: Any) -> Run:
    event = item.event
    return Run(
        id=own_id(event, rule, decided.get("steps", ()), sends=event.sends),
        rule=rule,
        event=event.id,
        kind=event.kind,
        mailbox=event.mailbox,
        key=event.key,
        digest=digest,
        created=now,
        labels=tuple(sorted(item.message.labels)) if item.message else None,
        thread=(item.message.thread if item.message else "") or event.thread,
        depth=event.depth,
        origin=event.origin,
        trace=item.trace,
        arrived=int((_arrival(item) or now) * 1000),
        **decided,
    )


def _arrival(item: Judged) -> float | None:
    received = item.message.received if item.message else None
    return received.timestamp() if received else None


def _leading_labels(effects: tuple[Effect, ...]) -> int:
    for index, effect in enumerate(effects):
        if not isinstance(effect, ChangeLabels) or effect.scope == "thread" or effect.after:
            return index
    return len(effects)


def _groups(judged: Sequence[Judged], runs: tuple[Run, ...]) -> tuple[LabelGroup, ...]:
    before = {item.event.key: item.message.labels for item in reversed(judged) if item.message}
    by_key: dict[str, list[Run]] = {}
    for run in runs:
        if not run.shadow:
            by_key.setdefault(run.key, []).append(run)
    members: dict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for key, own in by_key.items():
        change = net_change(before.get(key, frozenset()), own)
        if change != ((), ()):
            members.setdefault(change, []).append(key)
    return tuple(
        LabelGroup(
            add=add,
            remove=remove,
            keys=tuple(keys),
            runs={key: tuple(_parts(by_key[key])) for key in keys},
        )
        for (add, remove), keys in members.items()
    )


def net_change(labels: frozenset[str], runs: Iterable[Run]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What the leading label steps of a message's runs come to, as sorted (add, remove)."""
    after = set(labels)
    for run in runs:
        for effect in run.steps[: run.grouped]:
            if isinstance(effect, ChangeLabels):
                after.difference_update(effect.remove)
                after.update(effect.add)
    return tuple(sorted(after - labels)), tuple(sorted(labels - after))


def _parts(runs: Iterable[Run]) -> Iterator[RunLabels]:
    """What a group means to each run of a message."""
    for run in runs:
        if run.steps:
            more = run.grouped < len(run.steps)
            yield RunLabels(run=run.id, steps=tuple(range(run.grouped)), more=more, trace=run.trace)
