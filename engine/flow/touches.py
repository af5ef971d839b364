"""What runs did to labels, and what it takes to undo some of them and leave the others standing. Pure."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from math import inf

from engine.flow.inverse import way_back
from engine.flow.recorded import Recorded
from engine.rules.effects import ChangeLabels
from engine.rules.evaluate import changed

SETTLED = ("done", "dead")
WITHOUT_EFFECT = ("failed", "skipped", "held")
Fellows = Mapping[str, Collection[str]]
"""By thread, messages of it that matter."""


@dataclass(frozen=True, slots=True)
class Touch:
    """What one step wants of one label of one message."""

    at: tuple[float, int, int]
    """When it was done at the latest, by which touches of one label are put in order."""
    run: str
    rule: str
    key: str
    label: str
    on: bool
    """Whether the label is there after it."""
    before: bool | None
    """Whether the label was there before it; None where nobody looked."""


@dataclass(frozen=True, slots=True)
class Aim:
    """What is wanted of one label of one message: that it is as before the last steps that are undone."""

    label: str
    left: bool
    """As our last step left it."""
    wanted: bool | None
    """As it was before; None where that is not known."""


@dataclass(frozen=True, slots=True)
class Aims:
    """What undoing some runs wants of one message."""

    aims: tuple[Aim, ...] = ()
    kept: Mapping[str, str] | None = None
    """Labels that another rule has set or removed since, each with that rule."""
    binned: bool = False
    """Whether a rule put it into the trash, or called it spam."""


BINS = ("TRASH", "SPAM")


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one message's labels."""

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    """What is left as it is, and why."""
    already: tuple[str, ...] = ()
    """Labels that are as they were before, since somebody took the change back."""


def touches(recorded: Recorded, fellows: Fellows) -> Iterator[Touch]:
    """Give what a run did to labels or, while it is not settled, may be about to do."""
    run = recorded.run
    if run.shadow or recorded.undone:
        return
    for step, effect in enumerate(run.steps):
        outcome = recorded.receipts.get(step, {}).get("outcome", "")
        idle = outcome in WITHOUT_EFFECT or (not outcome and recorded.state in SETTLED)
        if isinstance(effect, ChangeLabels) and not idle:
            yield from _of_step(recorded, step, effect, fellows)


def _of_step(recorded: Recorded, step: int, effect: ChangeLabels, fellows: Fellows) -> Iterator[Touch]:
    run, at = recorded.run, _at(recorded, step)
    after = dict.fromkeys(effect.remove, False) | dict.fromkeys(effect.add, True)
    before = _before(recorded, step, after)
    for key in touched(recorded, step, fellows):
        for label, on in after.items():
            yield Touch(at, run.id, run.rule, key, label, on, before.get((key, label)))


def touched(recorded: Recorded, step: int, fellows: Fellows) -> list[str]:
    """Name the messages whose labels a step changes."""
    run, effect = recorded.run, recorded.run.steps[step]
    named = recorded.receipts.get(step, {}).get("messages")
    if named:
        keys: list[str] = json.loads(named)
        return keys
    whole = isinstance(effect, ChangeLabels) and effect.scope == "thread"
    return sorted({run.key, *(fellows.get(run.thread, ()) if whole else ())})


def _at(recorded: Recorded, step: int) -> tuple[float, int, int]:
    """Label changes that went with their batch came first; others were done by the end of the run."""
    run = recorded.run
    if step < run.grouped:
        return run.created, run.place, step
    return (recorded.ended / 1000 if recorded.ended else inf), 0, step


def _before(recorded: Recorded, step: int, after: Mapping[str, bool]) -> dict[tuple[str, str], bool]:
    """Say of each message's labels that a step changes whether they were there, as far as that is known."""
    run = recorded.run
    back = way_back(recorded, step)
    if "labels" not in back:
        found = run.labels if run.found is None else run.found
        if step >= run.grouped or found is None:
            return {}
        had = changed(frozenset(found), run.steps[:step])
        return {(run.key, label): label in had for label in after}
    known = {(key, label): on for key in touched(recorded, step, {}) for label, on in after.items()}
    for key in back.get("unknown", ()):
        known = {pair: on for pair, on in known.items() if pair[0] != key}
    for change in back["labels"]:
        for key in change["keys"]:
            known |= {(key, label): True for label in change["add"]}
            known |= {(key, label): False for label in change["remove"]}
    return known


def aims_of(touches: Iterable[Touch], undone: Collection[str]) -> dict[str, Aims]:
    """Say of each message what undoing some runs wants, given all that runs did to its labels."""
    by_key: dict[str, dict[str, list[Touch]]] = {}
    for touch in sorted(touches, key=lambda one: one.at):
        by_key.setdefault(touch.key, {}).setdefault(touch.label, []).append(touch)
    return {key: _aims(labels, undone) for key, labels in by_key.items()}


def _aims(labels: Mapping[str, Sequence[Touch]], undone: Collection[str]) -> Aims:
    aims: list[Aim] = []
    kept: dict[str, str] = {}
    for label, history in labels.items():
        last = history[-1]
        ours = list(takewhile(lambda one: one.run in undone, reversed(history)))
        if ours:
            aims.append(Aim(label, last.on, ours[-1].before))
        elif any(one.run in undone and one.before is not one.on for one in history):
            kept[label] = last.rule
    binned = any(label in labels and labels[label][-1].on for label in BINS)
    return Aims(tuple(aims), kept, binned)


def change_of(aims: Aims, labels: frozenset[str]) -> Change:
    """Say what to do with a message that bears these labels now; what a person changed is left."""
    if not aims.binned and (found := [label for label in BINS if label in labels]):
        moved = any(aim.wanted is not aim.left for aim in aims.aims)
        where = "trash" if found[0] == "TRASH" else "spam"
        return Change(left=(f"a person has put it into the {where}",) if moved else ())
    add, remove, left, already = list[str](), list[str](), list[str](), list[str]()
    for aim in aims.aims:
        there = aim.label in labels
        if aim.wanted is None and there is aim.left:
            left.append(f"'{aim.label}': whether it was there before is not known")
        elif aim.wanted is None or aim.wanted is aim.left:
            continue
        elif there is aim.left:
            (add if aim.wanted else remove).append(aim.label)
        else:
            already.append(aim.label)
    for label, rule in (aims.kept or {}).items():
        left.append(f"'{label}': the rule {rule} has set or removed it since")
    return Change(tuple(sorted(add)), tuple(sorted(remove)), tuple(left), tuple(already))
