"""`pause` and `resume`: hold every send, and let them go on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import TypeVar

import click

from engine.cli.serve import config
from engine.cli.who import who
from engine.settings import load_settings
from engine.store.brake import pause_sends, resume_sends
from engine.wiring import Office, open_office

_T = TypeVar("_T")

as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object.")


@click.command()
@click.option("--reason", default="", metavar="TEXT", help="Why, for whoever reads `postroom status`.")
@as_json
@config
def pause(reason: str, as_json: bool, config: str | None) -> None:
    """Hold every send from now on; labels, drafts and calls of other systems go on."""
    brake = _do(config, lambda office: pause_sends(office.base, who(), reason, office.clock()))
    click.echo(json.dumps({"sends_paused": brake.as_dict()}) if as_json else str(brake))


@click.command()
@as_json
@config
def resume(as_json: bool, config: str | None) -> None:
    """Let sends go on that were paused; what waited leaves within seconds, as far as budgets let it."""
    before = _do(config, lambda office: resume_sends(office.base, who(), office.clock()))
    if as_json:
        click.echo(json.dumps({"sends_paused": None, "before": before and before.as_dict()}))
    else:
        click.echo("sends go on" if before else "sends were not paused")


def _do(config: str | None, what: Callable[[Office], Awaitable[_T]]) -> _T:
    async def act() -> _T:
        async with open_office(load_settings(config)) as office:
            return await what(office)

    return asyncio.run(act())
