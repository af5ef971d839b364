"""Runs that are undone together: those with a message in common, and others for speed. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from engine.flow.recorded import Recorded
from engine.flow.touches import touched
from engine.rules.effects import ChangeLabels

AT_A_TIME = 100
"""Messages under one lease: new mail of the lane waits as long."""


@dataclass
class Bundle:
    """Runs of one mailbox that are undone together, since they have messages in common or for speed."""

    mailbox: str
    runs: list[Recorded] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)


def bundles(chosen: Iterable[Recorded]) -> list[Bundle]:
    """Part runs, the newest first, so that those with a message in common stay together."""
    home: dict[tuple[str, str], Bundle] = {}
    small: list[Bundle] = []
    for recorded in sorted(chosen, key=lambda one: one.run.created, reverse=True):
        mailbox, keys = recorded.run.mailbox, keys_of(recorded)
        near = {id(found): found for key in keys if (found := home.get((mailbox, key)))}
        bundle, *others = near.values() or [Bundle(mailbox)]
        if not near:
            small.append(bundle)
        for other in others:
            bundle.runs, bundle.keys = bundle.runs + other.runs, bundle.keys | other.keys
            other.runs, other.keys = [], set()
        bundle.runs.append(recorded)
        bundle.keys |= keys
        home |= {(mailbox, key): bundle for key in bundle.keys}
    return _packed(bundle for bundle in small if bundle.runs)


def _packed(small: Iterable[Bundle]) -> list[Bundle]:
    """Join bundles of a mailbox up to the size that is undone at a time."""
    packed: list[Bundle] = []
    open_: dict[str, Bundle] = {}
    for bundle in small:
        last = open_.get(bundle.mailbox)
        if last is None or len(last.keys) + len(bundle.keys) > AT_A_TIME:
            open_[bundle.mailbox] = bundle
            packed.append(bundle)
        else:
            last.runs += bundle.runs
            last.keys |= bundle.keys
    return packed


def keys_of(recorded: Recorded) -> set[str]:
    """Name the messages that a run has to do with."""
    steps = enumerate(recorded.run.steps)
    labels = (step for step, effect in steps if isinstance(effect, ChangeLabels))
    return {recorded.run.key}.union(*(touched(recorded, step, {}) for step in labels))
