"""`status`: how everything stands, on one screen."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import click
from rich.console import Console

from engine import __version__
from engine.cli.serve import config
from engine.cli.status_text import as_screen
from engine.settings import Settings, load_settings
from engine.store.board import Lane, Snapshot
from engine.store.lately import Lately, read_lately
from engine.wiring import open_office

LONG_PAUSE_MS = 60_000
"""A service that asks us to wait for less than this needs nobody."""
FULL = 0.9


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@config
def status(as_json: bool, config: str | None) -> None:
    """Show how everything stands. Exit code 1 when something needs a person."""
    settings = load_settings(config)

    async def read() -> tuple[Snapshot, dict[str, Lately]]:
        async with open_office(settings) as office:
            snapshot = await office.look()
            return snapshot, await read_lately(office.base, list(settings.mailboxes), snapshot.now)

    snapshot, lately = asyncio.run(read())
    needs = list(needs_of(snapshot, settings))
    if as_json:
        click.echo(json.dumps(as_dict(snapshot, lately, needs)))
    else:
        screen().print(as_screen(snapshot, lately, needs))
    raise SystemExit(1 if needs else 0)


def needs_of(snapshot: Snapshot, settings: Settings) -> Iterator[str]:
    """What a person should see to, the gravest first."""
    if snapshot.halt:
        yield str(snapshot.halt)
    if snapshot.brake:
        yield f"{snapshot.brake}; `postroom resume` lets them go on"
    yield from _processes_wanting(snapshot, settings)
    if not snapshot.digest and settings.mailboxes:
        yield "no rules have been put in force yet, and mail waits"
    for process in snapshot.processes:
        if process.refused and process.lives(snapshot.now):
            yield f"rules not loaded by {process.kind} {process.host}:{process.pid}: {process.refused}"
    yield from (
        f"{lane.mailbox}: paused: {lane.pause}" for lane in snapshot.lanes if is_long(lane, snapshot.now)
    )
    yield from (f"{alarm.about}: {alarm.kind}: {alarm.text}" for alarm in snapshot.alarms)
    if snapshot.dead:
        yield f"runs that need a person: {snapshot.dead}, see `postroom dead`"
    if snapshot.memory_limit and snapshot.memory > FULL * snapshot.memory_limit:
        yield f"Redis is {snapshot.memory / snapshot.memory_limit:.0%} full; a full one stands still"


def _processes_wanting(snapshot: Snapshot, settings: Settings) -> Iterator[str]:
    kinds = {process.kind for process in snapshot.processes if process.lives(snapshot.now)}
    if settings.mailboxes and "worker" not in kinds:
        yield "no worker is running"
    if any(account.webhook_secret for account in settings.accounts.values()) and "web" not in kinds:
        yield "no web process is running, and an account has webhooks"


def is_long(lane: Lane, now: int) -> bool:
    """Whether a pause has lasted for long enough to be somebody's business."""
    return lane.pause is not None and now - lane.pause.since > LONG_PAUSE_MS


def as_dict(snapshot: Snapshot, lately: Mapping[str, Lately], needs: list[str]) -> dict[str, Any]:
    """Everything, as machines read it; times are ISO 8601, null for never."""
    return {
        "version": __version__,
        "now": _time(snapshot.now),
        "fine": not needs,
        "needs": needs,
        "halted": snapshot.halt and {"since": _time(snapshot.halt.since), "why": snapshot.halt.why},
        "sends_paused": snapshot.brake and snapshot.brake.as_dict(),
        "rules": {"digest": snapshot.digest or None, "since": _time(snapshot.in_force)},
        "mailboxes": [_lane(lane, lately[lane.mailbox], snapshot.now) for lane in snapshot.lanes],
        "alarms": [asdict(alarm) for alarm in snapshot.alarms],
        "budgets": [asdict(left) for left in snapshot.budgets],
        "runs": {
            "open": snapshot.open,
            "dead": snapshot.dead,
            "awaiting": snapshot.awaiting,
            "delayed": snapshot.delayed,
        },
        "timers": {"pending": snapshot.timers, "overdue": snapshot.overdue},
        "queue": {"jobs": snapshot.jobs, "since": _time(snapshot.jobs_since)},
        "redis": {"memory": snapshot.memory, "limit": snapshot.memory_limit or None},
        "processes": [
            asdict(process)
            | {
                "started": _time(process.started),
                "seen": _time(process.seen),
                "lives": process.lives(snapshot.now),
            }
            for process in snapshot.processes
        ],
    }


def _lane(lane: Lane, lately: Lately, now: int) -> dict[str, Any]:
    pause = lane.pause
    return {
        "mailbox": lane.mailbox,
        "account": lane.watched.account,
        "started": _time(lane.started),
        "read": _time(lane.watched.polled),
        "moved": _time(lane.watched.moved),
        "queued": lane.queued,
        "waiting": lane.waiting,
        "label_groups": lane.groups,
        "lag_s": max(now - lane.oldest, 0) / 1000 if lane.oldest else 0,
        "paused": pause and {"since": _time(pause.since), "until": _time(pause.until), "why": pause.why},
        "last_24_h": {"decided": lately.decided, "runs": lately.runs},
        "runs": {"open": lately.open, "dead": lately.dead},
    }


def _time(ms: int) -> str | None:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds") if ms else None


def screen() -> Console:
    """A terminal's own width; in a pipe, as wide as it takes."""
    width = None if os.isatty(1) else 200
    # Names may hold brackets and colons.
    return Console(soft_wrap=True, highlight=False, markup=False, emoji=False, width=width)
