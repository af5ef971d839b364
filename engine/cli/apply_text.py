"""A preview of `apply` as a person reads it: counts first, then samples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.backtest.outcome import Headline
from engine.cli.backtest_text import headline
from engine.cli.words import many
from engine.flow.apply import Planned, Tried
from engine.flow.plan import Run
from engine.rules.effects import ChangeLabels, Effect, SaveDraft, SendMessage
from engine.rules.memory import in_ms


@dataclass
class Counts:
    """What would be done."""

    rules: Counter[str] = field(default_factory=Counter)
    effects: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)
    """By the reason."""
    undecided: int = 0
    samples: list[Planned] = field(default_factory=list)

    def add(self, planned: Planned, samples: int) -> None:
        for run in planned.runs:
            self.rules[run.rule] += 1
            self.undecided += bool(run.undecided)
            for at, step in enumerate(run.steps):
                if at in run.held:
                    self.held[run.held[at]] += 1
                else:
                    self.effects.update(words(step))
        if planned.runs and len(self.samples) < samples:
            self.samples.append(planned)


def words(effect: Effect) -> list[str]:
    """Name what an effect does, so that the same is counted together."""
    if isinstance(effect, SendMessage | SaveDraft) and effect.forward:
        return [f"forward {effect.forward}"]
    if isinstance(effect, ChangeLabels):
        return [f"label +{name}" for name in effect.add] + [f"label -{name}" for name in effect.remove]
    if isinstance(effect, SendMessage):
        return [f"{'reply' if effect.reply else 'send'} {effect.template}"]
    return [f"draft {effect.template}"] if isinstance(effect, SaveDraft) else [effect.kind]


def as_lines(tried: Tried, counts: Counts) -> Iterator[str]:
    """The whole preview."""
    runs = sum(counts.rules.values())
    yield f"looked at {many(tried.messages, 'message')}; {many(runs, 'run')} of rules would be new"
    for why, count in sorted(tried.left.items()):
        yield f"  {count:,} more left alone: {why}"
    yield from counted("rules", counts.rules)
    yield from counted("what would be done", counts.effects)
    yield from counted("held", counts.held)
    if counts.undecided:
        yield f"{many(counts.undecided, 'rule')} cannot be judged"
    for planned in counts.samples:
        yield ""
        yield _headline(planned)
        for run in planned.runs:
            yield from (f"    {run.rule}: {line}" for line in _steps(run))


def counted(title: str, counts: Mapping[str, int]) -> Iterator[str]:
    """A heading and, the most frequent first, how often there was each thing."""
    if counts:
        yield title
    for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        yield f"  {count:>7,}  {name}"


def _steps(run: Run) -> Iterator[str]:
    for at, step in enumerate(run.steps):
        done = ", ".join(words(step)) or step.kind
        yield f"{done} (held: {run.held[at]})" if at in run.held else done
    if run.undecided:
        yield f"cannot be judged: {run.undecided}"


def _headline(planned: Planned) -> str:
    message = planned.message
    if message is None or message.received is None:
        return planned.key
    sender = next(iter(message.addresses("From")), None)
    who = (sender.address or sender.name) if sender else ""
    return headline(Headline(planned.key, in_ms(message.received), who, message.subject))


def as_dict(tried: Tried, counts: Counts) -> dict[str, Any]:
    """The same for machines."""
    return {
        "messages": tried.messages,
        "left": dict(sorted(tried.left.items())),
        "runs": len(tried.runs),
        "rules": dict(sorted(counts.rules.items())),
        "effects": dict(sorted(counts.effects.items())),
        "held": dict(sorted(counts.held.items())),
        "undecided": counts.undecided,
        "samples": [
            {"message": one.key, "runs": [{"rule": run.rule, "steps": list(_steps(run))} for run in one.runs]}
            for one in counts.samples
        ],
    }
