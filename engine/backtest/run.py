"""What rules would do with mail of the past, and what would change from one version to another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from engine.backtest.crew import Piece, judged
from engine.backtest.judging import Item, Judging, Setup
from engine.backtest.outcome import Headline, Looked, Outcome
from engine.backtest.replay import Replay
from engine.backtest.spill import Spill
from engine.backtest.tally import Tally
from engine.mail.archive import Archived

Heard = Callable[[Item], None]
"""Told of every message that is taken up."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One message with which something happens, or with which something else does than before."""

    headline: Headline
    outcomes: tuple[Outcome, ...]
    """One for each version."""


@dataclass
class Report(AbstractContextManager["Report"]):
    """What came of a backtest; to be closed, since what there is to show lies on disk."""

    tallies: tuple[Tally, ...]
    """One for each version."""
    messages: int = 0
    first: int = 0
    last: int = 0
    """When the first and the last message arrived, in epoch ms; 0 where there was none."""
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    """Names of what could not be read, each with the reason."""
    shown: Spill[Shown] = field(default_factory=Spill)
    """In the order of arrival."""

    def __exit__(self, *_: object) -> None:
        self.shown.__exit__()


def backtest(
    items: Iterable[Item], setup: Setup, judging: Judging, jobs: int = 1, heard: Heard | None = None
) -> Report:
    """Judge messages one by one, then go through what they came to in the order of their arrival.

    The answer does not depend on the number of jobs.
    """
    report = Report(tuple(Tally() for _ in setup.versions))
    with Spill[Looked]() as waiting:
        for piece in judged(_readable(items, report, heard), setup, judging, jobs):
            _count(report, piece)
            if piece.dumped is not None:
                waiting.put_dumped(piece.at, piece.dumped)
        replay = Replay(judging)
        for looked in waiting:
            _note(report, looked, replay.settle(looked))
    return report


def _readable(items: Iterable[Item], report: Report, heard: Heard | None) -> Iterator[Item]:
    for item in items:
        if heard:
            heard(item)
        if isinstance(item, Archived) and item.error:
            report.unreadable.append((item.name, item.error))
        else:
            yield item


def _count(report: Report, piece: Piece) -> None:
    report.messages += 1
    report.first = min(report.first or piece.at, piece.at)
    report.last = max(report.last, piece.at)


def _note(report: Report, looked: Looked, outcomes: tuple[Outcome, ...]) -> None:
    for tally, outcome in zip(report.tallies, outcomes, strict=True):
        tally.add(outcome)
    alone = outcomes[0]
    if differ(outcomes) if len(outcomes) > 1 else alone.runs or alone.shadows or alone.undecided:
        report.shown.put(looked.headline.at, Shown(looked.headline, outcomes))


def differ(outcomes: tuple[Outcome, ...]) -> bool:
    """Whether versions do different things with a message, whatever they remember of it."""
    done = [
        (one.runs, one.shadows, one.add, one.remove, [rule for rule, _ in one.undecided]) for one in outcomes
    ]
    return any(one != done[0] for one in done)
