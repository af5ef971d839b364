"""`runs`, `dead` and `replay`: what was done, what needs a person, and doing it again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from typing import Any

import click

from engine.cli.serve import config
from engine.flow.plan import Run, due_at
from engine.flow.recorded import Recorded
from engine.settings import load_settings
from engine.store.shown import as_dict, as_time
from engine.wiring import Office, open_office

UNSAID = ("outcome", "undo", "to")
"""Parts of a receipt that stand elsewhere, or are for machines to read."""

as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")


@click.command()
@click.argument("run", required=False)
@click.option("--mailbox", default="", help="Runs of this mailbox alone.")
@click.option("--rule", default="", help="Runs of this rule alone.")
@click.option("--limit", default=20, show_default=True, help="How many, newest first.")
@as_json
@config
def runs(run: str | None, mailbox: str, rule: str, limit: int, as_json: bool, config: str | None) -> None:
    """Show the newest runs, or one run (the first signs of its id suffice)."""

    async def show(office: Office) -> list[Recorded]:
        ids = (
            await office.journal.find(run)
            if run
            else await office.journal.newest(limit, mailbox=mailbox, rule=rule)
        )
        return await _get(office, ids)

    found = asyncio.run(_with_office(config, show))
    if run and not found:
        raise click.ClickException(f"there is no run {run}")
    _print(found, as_json, details=bool(run))


@click.command()
@click.option("--limit", default=100, show_default=True, help="How many, newest first.")
@as_json
@click.option("--dismiss", metavar="RUN", help="Settle this one as it is: a person has seen to it.")
@config
def dead(limit: int, as_json: bool, dismiss: str | None, config: str | None) -> None:
    """Show the runs that need a person. Exit code 1 when there are any."""
    if dismiss:
        _dismiss(dismiss, config)

    async def show(office: Office) -> list[Recorded]:
        return await _get(office, await office.journal.newest(limit, dead=True))

    found = asyncio.run(_with_office(config, show))
    _print(found, as_json, details=not as_json)
    raise SystemExit(1 if found else 0)


def _dismiss(run: str, config: str | None) -> None:
    async def settle(office: Office) -> bool:
        return await office.journal.dismiss(await only_run(office, run), office.clock())

    if not asyncio.run(_with_office(config, settle)):
        raise click.ClickException(f"the run {run} is not dead")
    click.echo(f"{run} is settled")
    raise SystemExit(0)


async def only_run(office: Office, start: str) -> str:
    """The one run whose id begins so."""
    found = await office.journal.find(start)
    if len(found) != 1:
        many = f"{len(found)} runs begin with {start}: write more of the id"
        raise click.ClickException(many if found else f"there is no run {start}")
    return found[0]


@click.command()
@click.argument("run")
@config
def replay(run: str, config: str | None) -> None:
    """Open a dead run again, from the first step that failed; steps that were done stay done."""

    async def reopen(office: Office) -> str | None:
        only = await only_run(office, run)
        return only if await office.journal.reopen(only, office.clock()) else None

    opened = asyncio.run(_with_office(config, reopen))
    if opened is None:
        raise click.ClickException(f"the run {run} is not dead, or has no step to do again")
    click.echo(f"{opened} is open again")


async def _with_office(config: str | None, use: Any) -> Any:
    async with open_office(load_settings(config)) as office:
        return await use(office)


async def _get(office: Office, ids: Iterable[str]) -> list[Recorded]:
    found = [await office.journal.get(one) for one in ids]
    return [recorded for recorded in found if recorded]


def _print(found: list[Recorded], as_json: bool, *, details: bool) -> None:
    for recorded in found:
        click.echo(json.dumps(as_dict(recorded)) if as_json else _line(recorded))
        if details and not as_json:
            for line in _details(recorded):
                click.echo(f"    {line}")
    if not found and not as_json:
        click.echo("no runs")


def _line(recorded: Recorded) -> str:
    run = recorded.run
    state = "shadow" if run.shadow else "undone" if recorded.undone else recorded.state
    return (
        f"{run.id[:12]}  {state:7}  {as_time(run.created)}  {run.mailbox}  {run.rule}  {run.key or run.kind}"
    )


def _details(recorded: Recorded) -> Iterable[str]:
    if recorded.why:
        yield f"why: {recorded.why}"
    if undone := recorded.undone:
        yield f"undone by {undone.by} at {as_time(undone.at / 1000)}"
        yield from (f"left: {why}" for why in undone.left)
    for step, effect in enumerate(recorded.run.steps):
        receipt = recorded.receipts.get(step) or _outstanding(recorded.run, step)
        said = ", ".join(f"{name} {value}" for name, value in receipt.items() if name not in UNSAID)
        yield f"{step}: {effect.kind} {receipt['outcome']}{f' ({said})' if said else ''}"


def _outstanding(run: Run, step: int) -> Mapping[str, str]:
    due = {"not before": as_time(due_at(run, step) / 1000)} if run.steps[step].after else {}
    return {"outcome": "not yet", **due}
