"""How everything stands, as a person reads it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from engine import __version__
from engine.cli.words import many
from engine.store.board import Lane, Snapshot
from engine.store.budget_left import Left
from engine.store.figures import Process
from engine.store.lately import Lately


def as_screen(snapshot: Snapshot, lately: Mapping[str, Lately], needs: Sequence[str]) -> RenderableType:
    """What needs a person first, then mailboxes, budgets, rules and processes."""
    parts: list[RenderableType] = [Text(f"Postroom {__version__}: " + ("" if needs else "all is well"))]
    if needs:
        parts[0] = Text(f"Postroom {__version__}: needs a person", style="bold")
        parts += [Text(f"  {need}", style="red") for need in needs]
    parts += [Text(), _mailboxes(snapshot, lately)]
    parts += [Text(f"  {lane.mailbox} is paused: {lane.pause}") for lane in snapshot.lanes if lane.pause]
    parts += [Text(), *(Text(line) for line in _whole(snapshot))]
    if snapshot.budgets:
        parts += [Text(), _budgets(snapshot.budgets)]
    parts += [Text(), _processes(snapshot)]
    return Group(*parts)


def _mailboxes(snapshot: Snapshot, lately: Mapping[str, Lately]) -> Table:
    table = _table(
        *("mailbox", "in\nservice", "read\nago", "waits", "lag"),
        *("decided\n24 h", "runs\n24 h", "open\nnow", "dead\nnow"),
    )
    for lane in snapshot.lanes:
        own = lately[lane.mailbox]
        table.add_row(
            lane.mailbox,
            ago(lane.started, snapshot.now, "not yet"),
            ago(lane.watched.polled, snapshot.now, "never"),
            _waiting(lane),
            ago(lane.oldest, snapshot.now, "-"),
            *(str(figure) for figure in (own.decided, own.runs, own.open, own.dead)),
        )
    if not snapshot.lanes:
        table.add_row("none is configured")
    return table


def _waiting(lane: Lane) -> str:
    aside = f" + {lane.waiting} aside" if lane.waiting else ""
    return f"{lane.queued}{aside}"


def _whole(snapshot: Snapshot) -> Iterator[str]:
    now = snapshot.now
    if snapshot.digest:
        yield f"rules {snapshot.digest[:12]}, in force for {ago(snapshot.in_force, now, 'an unknown time')}"
    else:
        yield "no rules in force"
    queue = f"{many(snapshot.jobs, 'job')} due"
    if snapshot.jobs:
        queue += f", the first for {ago(snapshot.jobs_since, now, '0 s')}"
    if snapshot.timers or snapshot.delayed:
        late = f" ({snapshot.overdue} overdue)" if snapshot.overdue else ""
        waits = f"{many(snapshot.timers, 'timer')}{late}, {many(snapshot.delayed, 'waiting action')}"
        yield f"{waits}, see `postroom timers`"
    if snapshot.awaiting:
        yield f"messages that wait for approval: {snapshot.awaiting}, see `postroom approvals`"
    limit = f" of {snapshot.memory_limit / 2**20:.0f}" if snapshot.memory_limit else ""
    yield f"{queue}; Redis uses {snapshot.memory / 2**20:.1f}{limit} MiB"


def _budgets(budgets: Sequence[Left]) -> Table:
    table = _table("account", "rate class", "our share", "at once", "left today")
    for one in budgets:
        paused = f" (told to wait {one.paused:.0f} s)" if one.paused else ""
        today = f"{one.today:,} of {one.daily:,}" if one.daily else "-"
        table.add_row(one.account, one.rate_class, f"{one.per_second:g}/s", f"{one.now}{paused}", today)
    return table


def _processes(snapshot: Snapshot) -> Table:
    table = _table("process", "on", "running for", "seen", "rules", "version")
    for process in snapshot.processes:
        style = None if process.lives(snapshot.now) else "red"
        table.add_row(
            process.kind,
            f"{process.host}:{process.pid}",
            ago(process.started, snapshot.now, "-"),
            ago(process.seen, snapshot.now, "never", " ago"),
            _rules(process),
            process.version,
            style=style,
        )
    if not snapshot.processes:
        table.add_row("none has been seen")
    return table


def _rules(process: Process) -> str:
    return f"{process.rules[:12] or '-'}{' (newer ones refused)' if process.refused else ''}"


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in columns:
        table.add_column(column, overflow="fold", vertical="bottom")
    return table


def ago(since: int, now: int, never: str, after: str = "") -> str:
    """How long since, in one unit; `never` for 0."""
    if not since:
        return never
    seconds = max(now - since, 0) // 1000
    for unit, size in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}{after}"
    return f"{seconds} s{after}"
