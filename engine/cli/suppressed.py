"""`suppressed`: whom nothing is sent to any more, and why."""

from __future__ import annotations

import asyncio
import json

import click

from engine.cli.journal import as_json
from engine.cli.serve import config
from engine.flow.suppression import Suppressed
from engine.mail.address import parse_address
from engine.rules.templated import recipient
from engine.settings import load_settings
from engine.store.shown import as_time
from engine.store.suppression import RedisSuppressions
from engine.wiring import Office, open_office

LISTED = "outbound.suppress in the configuration"


@click.command()
@click.option("--add", metavar="ADDRESS", help="Send nothing to this address any more.")
@click.option("--reason", default="", help="Why, for --add.")
@click.option("--remove", metavar="ADDRESS", help="Send to this address again, and forget its bounces.")
@as_json
@config
def suppressed(add: str | None, reason: str, remove: str | None, as_json: bool, config: str | None) -> None:
    """Show whom nothing is sent to: addresses whose mail came back, and those that a person named."""
    if add and remove:
        raise click.UsageError("--add and --remove are two commands")
    if bool(add) != bool(reason.strip()):
        raise click.UsageError("--add takes a --reason, and a --reason an --add")
    asyncio.run(_carry_out(_normal(add), reason.strip(), _normal(remove), as_json, config))


def _normal(address: str | None) -> str:
    """Give an address in normal form, "" for none."""
    try:
        return parse_address(recipient(address)).normal if address else ""
    except ValueError as error:
        raise click.UsageError(str(error)) from None


async def _carry_out(add: str, reason: str, remove: str, as_json: bool, config: str | None) -> None:
    async with open_office(load_settings(config)) as office:
        known = RedisSuppressions(office.base)
        if add:
            fresh = await known.add(add, Suppressed(since=office.clock(), why=reason))
            click.echo(f"{add} is suppressed" if fresh else f"{add} was suppressed already")
        elif remove:
            await _remove(known, remove)
        else:
            await _show(office, known, as_json=as_json)


async def _remove(known: RedisSuppressions, address: str) -> None:
    if not await known.remove(address):
        raise click.ClickException(f"{address} is not suppressed by a bounce or a person")
    click.echo(f"{address} is written to again")


async def _show(office: Office, known: RedisSuppressions, *, as_json: bool) -> None:
    found = sorted([one async for one in known.all()], key=lambda one: (-one[1].since, one[0]))
    for address, entry in found:
        told = {"address": address, **entry.model_dump(), "since": as_time(entry.since / 1000)}
        click.echo(json.dumps(told) if as_json else f"{told['since']}  {address}  {entry.why}")
    for name in office.settings.outbound.suppress:
        told = {"address": name, "why": LISTED}
        click.echo(json.dumps(told) if as_json else f"{name}  {LISTED}")
    if not found and not office.settings.outbound.suppress and not as_json:
        click.echo("nobody is suppressed")
