"""`postroom undo`: take back what runs did."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import click

from engine.cli.backtest_progress import progress
from engine.cli.journal import only_run
from engine.cli.serve import config as config_option
from engine.cli.since import read_since
from engine.cli.undo_text import Counts, as_dict, as_lines, message_dict
from engine.cli.who import who
from engine.errors import PostroomError, ProviderError
from engine.flow.recorded import Recorded
from engine.flow.taking_back import no_way_back
from engine.flow.undoing import undo as undo_runs
from engine.flow.undoing import undoable
from engine.flow.undoings import Undoing
from engine.settings import load_settings
from engine.store.undoing import RedisUndoings
from engine.wiring import Office, open_office


@click.command()
@click.argument("run", required=False)
@click.option("--rule", default="", help="All runs of this rule, by its id.")
@click.option("--since", metavar="WHEN", callback=read_since, help="Of a rule, runs since then: 2h.")
@click.option("--mailbox", default="", help="Of a rule, runs of this mailbox alone.")
@click.option("--yes", is_flag=True, help="Do it without asking.")
@click.option("--limit", default=10, show_default=True, type=click.IntRange(0), help="Samples shown.")
@click.option("--json", "as_json", is_flag=True, help="JSON lines: each message, then the counts.")
@config_option
def undo(
    run: str | None,
    rule: str,
    since: datetime | None,
    mailbox: str,
    yes: bool,
    limit: int,
    as_json: bool,
    config: str | None,
) -> None:
    """Take back what a run did, or all runs of a rule since some time: first a preview, then, if you say so.

    Labels are put back as they were before and files removed; what a person or another rule has changed
    since is left and named, and so is what has no way back. It may be ended at any moment and begun anew.
    """
    if bool(run) == bool(rule) or (rule and since is None) or (run and (since or mailbox)):
        raise click.UsageError("name one RUN, or --rule with --since")

    async def work() -> int:
        async with open_office(load_settings(config)) as office:
            undoing = _undoing(office)
            found = await _chosen(office, run, rule, since, mailbox)
            if yes:
                return await _told(undoing, found, limit, as_json, acts=True)
            await _told(undoing, found, limit, as_json, acts=False)
            if not any(not undoable(one) for one in found) or not await asyncio.to_thread(_agreed):
                return 0
            return await _told(undoing, found, limit, as_json, acts=True)

    raise SystemExit(asyncio.run(work()))


def _undoing(office: Office) -> Undoing:
    store, executing = RedisUndoings(office.base), office.executing
    beside = executing.folders, executing.summaries, executing.drafts, executing.suppressions
    return Undoing(store, office.provider, *beside, office.clock, who())


async def _chosen(
    office: Office, run: str | None, rule: str, since: datetime | None, mailbox: str
) -> Sequence[Recorded]:
    """Find the runs that are meant. Raises PostroomError where there is none."""
    if run:
        recorded = await office.journal.get(await only_run(office, run))
        return [recorded] if recorded else []
    cut = int(since.timestamp() * 1000) if since else 0
    found = await RedisUndoings(office.base).since(cut, rule=rule, mailbox=mailbox)
    if not found:
        where = f" in {mailbox}" if mailbox else ""
        raise PostroomError(f"the rule {rule} has no runs since then{where}: see `postroom runs`")
    return found


async def _told(undoing: Undoing, found: Sequence[Recorded], limit: int, as_json: bool, *, acts: bool) -> int:
    """Preview or do it, and tell of it; 1 where a service refused something."""
    chosen = [one for one in found if not undoable(one)]
    counts = Counts(acts=acts, runs=len(chosen))
    for one in found:
        if why := undoable(one):
            counts.passed[why] += 1
        counts.final.update(no_way_back(one))
    messages = len({(one.run.mailbox, one.run.key) for one in chosen})
    try:
        with progress("undone" if acts else "looked at", messages) as advance:
            async for restored in undo_runs(undoing, chosen, acts=acts):
                advance(1)
                counts.add(restored, limit)
                if as_json:
                    click.echo(json.dumps(message_dict(restored), ensure_ascii=False))
    except ProviderError as error:
        said = f"the service fails: {error}; what was undone stays so: do it again later"
        raise PostroomError(said) from error
    _say(counts, as_json)
    return 1 if counts.failed else 0


def _say(counts: Counts, as_json: bool) -> None:
    told: dict[str, Any] = as_dict(counts)
    for line in [json.dumps(told, ensure_ascii=False)] if as_json else as_lines(counts):
        click.echo(line)


def _agreed() -> bool:
    if not sys.stdin.isatty():
        click.echo("nothing was done; --yes does it", err=True)
        return False
    return click.confirm("Do this?", err=True)
