"""Figures as a person reads them."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from engine.cli.progress import Progress
from engine.cli.words import many


def progress_table(progress: Progress) -> RenderableType:
    """Per rule what matched and what was done, above the totals."""
    table = Table(box=None, pad_edge=False)
    table.add_column("rule")
    table.add_column("matched", justify="right")
    table.add_column("done", justify="right")
    for rule, matched in sorted(progress.matched.items(), key=lambda item: (-item[1], item[0])):
        table.add_row(rule, str(matched), str(progress.done[rule]))
    return Group(table, Text(_totals(progress)))


def summary(progress: Progress) -> RenderableType:
    """The table with what was done and how many calls it took."""
    done = ", ".join(f"{count} {name}" for name, count in sorted(progress.steps.items()))
    calls = ", ".join(f"{count} {name}" for name, count in sorted(progress.calls.items()))
    return Group(progress_table(progress), Text(f"steps: {done}"), Text(f"provider calls: {calls}"))


def _totals(progress: Progress) -> str:
    states = ", ".join(f"{count} {state}" for state, count in sorted(progress.states.items())) or "none"
    calls = sum(progress.calls.values())
    return (
        f"{progress.delivered} delivered, {progress.judged} judged, {progress.queued} waiting; "
        f"runs: {states}; {many(calls, 'provider call')}"
    )
