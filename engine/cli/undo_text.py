"""What undoing comes to, as a person reads it: counts first, then samples, then all that is left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from engine.cli.apply_text import counted
from engine.cli.words import many
from engine.flow.undoing import Restored

ALREADY = "is as before already"


@dataclass
class Counts:
    """What is undone."""

    acts: bool
    """Whether it was done, or only looked at."""
    runs: int = 0
    messages: int = 0
    changed: int = 0
    """Messages of which something is put back."""
    done: Counter[str] = field(default_factory=Counter)
    passed: Counter[str] = field(default_factory=Counter)
    """Runs that are not undone, by the reason."""
    final: Counter[str] = field(default_factory=Counter)
    """Steps that have no way back, by the reason."""
    failed: int = 0
    samples: list[Restored] = field(default_factory=list)
    left: list[Restored] = field(default_factory=list)
    """Every message of which something is left as it is."""

    def add(self, one: Restored, samples: int) -> None:
        self.messages += 1
        self.failed += bool(one.failed)
        done = list(_done(one))
        self.done.update(done)
        self.changed += bool(done)
        if done and len(self.samples) < samples:
            self.samples.append(one)
        if list(_left(one)):
            self.left.append(one)


def _done(one: Restored) -> Iterator[str]:
    """Name what is put back, so that the same is counted together."""
    if not one.failed:
        yield from (f"label +{name}" for name in one.change.add)
        yield from (f"label -{name}" for name in one.change.remove)
    yield from (f"take back: {each.kind}" for each in one.others if not each.left)


def _left(one: Restored) -> Iterator[str]:
    if one.failed:
        yield f"refused: {one.failed}"
    yield from one.left
    yield from (f"'{label}': {ALREADY}" for label in one.change.already)


def as_lines(counts: Counts) -> Iterator[str]:
    """The whole, in words."""
    done = ("was" if counts.runs == 1 else "were") if counts.acts else "would be"
    changed = "changed" if counts.acts else "would change"
    runs, messages = many(counts.runs, "run"), many(counts.messages, "message")
    yield f"{runs} over {messages} {done} undone; {counts.changed:,} {changed}"
    yield from counted("runs left alone", counts.passed)
    yield from counted("done" if counts.acts else "what would be done", counts.done)
    yield from counted("no way back", counts.final)
    if counts.samples:
        yield "for example"
    for one in counts.samples:
        yield f"  {_named(one)}: {', '.join(dict.fromkeys(_samples(one)))}"
    if counts.left:
        yield f"left as it is ({len(counts.left):,})"
    for one in counts.left:
        yield f"  {_named(one)}: {'; '.join(dict.fromkeys(_left(one)))}"


def _named(one: Restored) -> str:
    """Name a message and its rules; what calls set off has none, and is told of together."""
    return f"{one.key or '(calls)'}  {', '.join(one.rules)}"


def _samples(one: Restored) -> Iterator[str]:
    yield from (done for done in _done(one) if done.startswith("label"))
    yield from (f"take back {each.what}" for each in one.others if not each.left)


def message_dict(one: Restored) -> dict[str, Any]:
    """One message for machines."""
    return {
        "message": one.key,
        "mailbox": one.mailbox,
        "rules": list(one.rules),
        "labels": {"add": list(one.change.add), "remove": list(one.change.remove)},
        "files": [each.what for each in one.others if not each.left],
        "left": list(one.left),
        "already": list(one.change.already),
        **({"failed": one.failed} if one.failed else {}),
    }


def as_dict(counts: Counts) -> dict[str, Any]:
    """The counts for machines."""
    return {
        "done": counts.acts,
        "runs": counts.runs,
        "messages": counts.messages,
        "changed": counts.changed,
        "effects": dict(sorted(counts.done.items())),
        "left": len(counts.left),
        "left_alone": dict(sorted(counts.passed.items())),
        "no_way_back": dict(sorted(counts.final.items())),
        "failed": counts.failed,
    }
