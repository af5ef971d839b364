"""`python -m bench [NAME…]`: measure, print one page."""

from __future__ import annotations

import asyncio
import gc
import json
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import click

from bench import (
    backtest,
    calls,
    hooks,
    hostile,
    judging,
    latency,
    matching,
    nodered,
    parsing,
    pigeonhole,
    receipts,
    rendering,
    rest,
    throughput,
    timers,
    transport,
    workers,
)
from bench.figure import Section, as_json, as_page
from bench.mail import Mail, find_mail
from engine.cli.serve import COLLECT_AFTER

Measure = Callable[[Mail, Path], Awaitable[Section]]

MEASURES: dict[str, Measure] = {
    "calls": calls.measure,
    "throughput": throughput.measure,
    "workers": workers.measure,
    "nodered": nodered.measure,
    "receipts": receipts.measure,
    "hooks": hooks.measure,
    "latency": latency.measure,
    "rest": rest.measure,
    "transport": transport.measure,
    "judging": judging.measure,
    "matching": matching.measure,
    "pigeonhole": pigeonhole.measure,
    "parsing": parsing.measure,
    "hostile": hostile.measure,
    "templates": rendering.measure,
    "backtest": backtest.measure,
    "timers": timers.measure,
}


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(MEASURES)))
@click.option("--size", default=1000, show_default=True, help="How many messages.")
@click.option("--json", "for_machines", is_flag=True, help="One JSON object instead of a page.")
def bench(size: int, names: tuple[str, ...], for_machines: bool) -> None:
    """Measure Postroom beside its peers; everything, or what is named."""
    gc.set_threshold(*COLLECT_AFTER)  # Peers in this process have what our own processes have.
    mail = find_mail(size)
    sections = asyncio.run(run(mail, names or tuple(MEASURES)))
    shown = as_json(sections, mail.source) if for_machines else as_page(sections, mail.source)
    click.echo(json.dumps(shown, indent=2) if for_machines else shown)


async def run(mail: Mail, names: Sequence[str]) -> list[Section]:
    """Measure one after the other, each in a folder of its own."""
    sections = []
    for name in names:
        click.echo(f"measuring {name} ...", err=True)
        with tempfile.TemporaryDirectory(prefix="postroom-bench-") as folder:
            sections.append(await MEASURES[name](mail, Path(folder)))
    return sections


if __name__ == "__main__":
    bench()
