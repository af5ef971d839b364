"""`migrate`: bring what lies in Redis to the layout of this version."""

from __future__ import annotations

import asyncio

import click

from engine.cli.serve import config
from engine.settings import load_settings
from engine.store.layout import LAYOUT
from engine.store.layout import migrate as bring_up_to_date
from engine.wiring import open_office


@click.command()
@config
def migrate(config: str | None) -> None:
    """Bring the data in Redis to the layout that this version needs. Web and worker have to be stopped."""

    async def run() -> None:
        async with open_office(load_settings(config), any_layout=True) as office:
            await bring_up_to_date(office.base, lambda layout: click.echo(f"layout {layout} is reached"))

    asyncio.run(run())
    click.echo(f"the data in Redis have layout {LAYOUT}")
