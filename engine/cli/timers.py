"""`timers`: what is to happen later, and cancelling it."""

from __future__ import annotations

import asyncio
import json

import click

from engine.cli.journal import as_json
from engine.cli.serve import config
from engine.cli.who import who
from engine.rules.event_name import told
from engine.settings import load_settings
from engine.store.pending import Pending, cancel, pending
from engine.store.shown import as_time
from engine.wiring import Office, open_office

AT_ONCE = 1_000


@click.command()
@click.option("--mailbox", default="", help="Of this mailbox alone.")
@click.option("--rule", default="", help="Of this rule alone.")
@click.option("--limit", default=100, show_default=True, help="How many, the next first.")
@click.option("--cancel", "cancelled", metavar="ID", help="Let this one never happen.")
@as_json
@config
def timers(
    mailbox: str, rule: str, limit: int, cancelled: str | None, as_json: bool, config: str | None
) -> None:
    """Show what is to happen later: timers, actions that wait, schedules."""

    async def look() -> None:
        async with open_office(load_settings(config)) as office:
            if cancelled:
                await _cancel(office, cancelled)
            else:
                await _show(office, mailbox, rule, limit, as_json=as_json)

    asyncio.run(look())


async def _show(office: Office, mailbox: str, rule: str, limit: int, *, as_json: bool) -> None:
    first, count = list[Pending](), 0
    async for one in pending(office.base):
        if mailbox in ("", one.mailbox) and rule in ("", one.rule):
            first.append(one)
            count += 1
        if len(first) >= limit + AT_ONCE:  # There may be a million of them.
            first = _soonest(first, limit)
    for one in _soonest(first, limit):
        click.echo(json.dumps(_told(one)) if as_json else _line(one))
    if count > limit and not as_json:
        click.echo(f"and {count - limit} more")
    if not count and not as_json:
        click.echo("nothing is pending")


def _soonest(some: list[Pending], limit: int) -> list[Pending]:
    return sorted(some, key=lambda one: (one.due, one.id))[:limit]


async def _cancel(office: Office, start: str) -> None:
    found = [one async for one in pending(office.base) if one.id.startswith(start[: len(one.id)])]
    if len(found) != 1:
        many = f"{len(found)} of what is pending begin with {start}: write more of the id"
        raise click.ClickException(many if found else f"nothing pending is called {start}")
    if found[0].what == "schedule":
        raise click.ClickException("a schedule ends with its rule: take the rule out, or write state: off")
    if not await cancel(office.base, found[0], who(), office.clock()):
        raise click.ClickException(f"{start} has begun by now")
    click.echo(f"{found[0].id} is cancelled")


def _told(one: Pending) -> dict[str, str | None]:
    return {
        "id": one.id,
        "due": as_time(one.due / 1000),
        "what": one.what,
        "mailbox": one.mailbox,
        "rule": one.rule or None,
        "message": one.message or None,
        "run": one.run.run.id if one.run else None,
    }


def _line(one: Pending) -> str:
    what = told(one.timer.event.kind) if one.timer else one.what
    parts = (one.id, as_time(one.due / 1000), one.mailbox, what, one.rule, one.message)
    return "  ".join(part for part in parts if part)
