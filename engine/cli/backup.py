"""`backup` and `restore`: everything that Postroom knows, in one file."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

from engine.cli.serve import config
from engine.cli.words import many
from engine.settings import load_settings
from engine.store.backup import back_up
from engine.store.backup import restore as put_back
from engine.store.halt import read_halt
from engine.wiring import open_office


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@config
def backup(file: Path, config: str | None) -> None:
    """Write everything in Redis into FILE, also while web and worker run: they wait for the copy.

    FILE holds tokens: only its owner may read it.
    """

    async def run() -> int:
        # An older layout is what one makes a backup of before it is migrated.
        async with open_office(load_settings(config), any_layout=True) as office:
            total = int(await office.base.redis.dbsize())
            with _bar("copying", total) as progress:
                return await back_up(office.base, file, progress)

    click.echo(f"{file}: {many(asyncio.run(run()), 'record')}")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Put it in place of what the database holds.")
@config
def restore(file: Path, replace: bool, config: str | None) -> None:
    """Read a backup in. Acting is halted then, until `postroom recover` has looked up what was done since."""
    size = file.stat().st_size

    async def run() -> str:
        async with open_office(load_settings(config), any_layout=True) as office:
            with _bar("restoring", size) as progress:
                await put_back(office.base, file, office.clock(), progress, replace=replace)
            return str(await read_halt(office.base))

    click.echo(asyncio.run(run()))


@contextlib.contextmanager
def _bar(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A progress bar on a terminal, nothing elsewhere."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=total)
        yield lambda done: progress.update(task, completed=done)
