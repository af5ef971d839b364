"""Which queued events need a look at all. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from engine.flow.stores import Queued
from engine.mail.events import SEND_REQUESTED, Event, EventKind, is_outbound
from engine.rules.loader import RuleSet

RECEPTIONS = frozenset({EventKind.MESSAGE_RECEIVED, EventKind.MESSAGE_IMPORTED})
LABELLINGS = {EventKind.LABEL_ADDED: "+", EventKind.LABEL_REMOVED: "-"}


@dataclass(frozen=True, slots=True)
class Sifted:
    """A batch, taken apart: what to look at, what to pass over, which of our footsteps came back."""

    look: tuple[Queued, ...]
    passed: tuple[Queued, ...]
    heard: tuple[str, ...]


def footstep(key: str, sign: str, label: str) -> str:
    """Name one label change on one message."""
    return f"{key}|{sign}{label}"


def footsteps_of(event: Event) -> list[str]:
    """The footsteps that a history record could be."""
    sign = LABELLINGS.get(event.kind)
    return [footstep(event.key, sign, label) for label in event.changed] if sign else []


def sift(batch: Sequence[Queued], judged: frozenset[str], steps: Mapping[str, int], rules: RuleSet) -> Sifted:
    """Sort out what was judged before, what is our own doing, and what no rule listens to."""
    seen: set[str] = set(judged)
    applied: set[str] = set()
    heard: set[str] = set()
    look: list[Queued] = []
    passed: list[Queued] = []
    for queued in batch:
        if queued.event.applied:
            wanted = queued.event.applied == rules.digest and queued.event.key not in applied
            (look if wanted else passed).append(queued)
            applied.add(queued.event.key)
            continue
        fresh = _without_footsteps(queued, steps, heard)
        if fresh is not None and _is_news(fresh.event, seen, rules):
            look.append(fresh)
        else:
            passed.append(queued)
        if queued.event.kind in RECEPTIONS and not is_outbound(queued.event.labels):
            seen.add(queued.event.key)
    return Sifted(tuple(look), tuple(passed), tuple(sorted(heard)))


def may_be_bounce(event: Event, rules: RuleSet) -> bool:
    """Say whether an event may be a bounce of our own mail, as its headers will tell."""
    arrived = event.kind is EventKind.MESSAGE_RECEIVED and not event.applied
    return arrived and rules.sends_from(event.mailbox)


def _is_news(event: Event, seen: set[str], rules: RuleSet) -> bool:
    if event.kind in RECEPTIONS and (event.key in seen or is_outbound(event.labels)):
        return False
    listens = rules.listens(event.kind, event.mailbox) or may_be_bounce(event, rules)
    return event.kind is SEND_REQUESTED or listens


def _without_footsteps(queued: Queued, steps: Mapping[str, int], heard: set[str]) -> Queued | None:
    """The event less what we did ourselves; None when nothing is left of it."""
    event = queued.event
    if event.kind not in LABELLINGS:
        return queued
    own = dict(_own_labels(queued, steps, heard))
    heard.update(own.values())
    left = tuple(label for label in event.changed if label not in own)
    return replace(queued, event=replace(event, changed=left)) if left else None


def _own_labels(queued: Queued, steps: Mapping[str, int], heard: set[str]) -> Iterator[tuple[str, str]]:
    """Labels of the record that our own call explains: one record each, until a complete read is over."""
    for label, step in zip(queued.event.changed, footsteps_of(queued.event), strict=True):
        answered = steps.get(step)
        if answered is None or step in heard:
            continue
        if answered == 0 or answered >= queued.read:
            yield label, step
