"""`postroom backtest`: what rules would have done with mail of the past."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click

from engine.backtest.crew import cores
from engine.backtest.judging import Item, Judging, Setup, Version
from engine.backtest.mailbox import Past, read_past
from engine.backtest.run import Report
from engine.backtest.run import backtest as go_through
from engine.backtest.spill import Spill
from engine.backtest.threshold import EXAMPLES, read_threshold
from engine.cli.backtest_progress import archive_bytes, progress, weight
from engine.cli.backtest_text import as_dicts, as_lines
from engine.cli.inputs import shown_actions
from engine.cli.offline import DEFAULT_LABELS, read_labels
from engine.cli.rulefiles import TEMPLATES_OPTION, load_library, load_set, read_files
from engine.cli.serve import config as config_option
from engine.cli.since import read_since
from engine.errors import PostroomError, ProviderError
from engine.flow.holding import our_addresses
from engine.flow.listing import list_keys
from engine.mail.address import parse_address
from engine.mail.archive import read_archive
from engine.mail.message import Message
from engine.rules.home import Homes
from engine.rules.memory import in_ms
from engine.rules.ruleset import RuleSet
from engine.settings import load_settings
from engine.settings.homes import homes_of, load_homes
from engine.wiring import open_office

FOLDER = click.Path(exists=True, path_type=Path)


@click.command()
@click.option("--rules", required=True, type=FOLDER, help="A file or folder.")
@click.option("--mail", type=click.Path(path_type=Path), help="An .eml, folder, zip, mbox, Maildir.")
@click.option("--mailbox", default="", help="The mailbox whose past it is, or that the mail arrives in.")
@click.option("--since", metavar="WHEN", callback=read_since, help="How far back: 30d, or 2026-03-01.")
@click.option("--against", type=FOLDER, help="Another version of the rules: show what changes from it.")
@click.option("--fail-if", "bounds", metavar="BOUND", multiple=True, help=f"Exit 1 if so: {EXAMPLES}.")
@TEMPLATES_OPTION
@click.option("--labels", default=DEFAULT_LABELS, show_default=True, callback=read_labels)
@click.option(
    "--limit", default=20, show_default=True, type=click.IntRange(0), help="Messages shown; 0: all."
)
@click.option("--jobs", default=0, type=click.IntRange(0), help="Processes; by default one for each core.")
@click.option("--json", "as_json", is_flag=True, help="JSON lines: the counts, then each message.")
@config_option
def backtest(
    rules: Path,
    mail: Path | None,
    mailbox: str,
    since: datetime | None,
    against: Path | None,
    bounds: tuple[str, ...],
    templates: Path | None,
    labels: frozenset[str],
    limit: int,
    jobs: int,
    as_json: bool,
    config: str | None,
) -> None:
    """Show what rules would have done with mail of the past; nothing is changed and nothing is sent.

    The mail is --mail PATH, or what --mailbox has received --since then. Each message is judged at the
    time when it arrived, in that order, with a memory that begins empty.
    """
    if mail is None and not (mailbox and since):
        raise click.UsageError("name the mail: --mail PATH, or --mailbox with --since")
    if mail is not None and since:
        raise click.UsageError("--since goes with a mailbox's own past, not with --mail")
    homes = homes_of(load_settings(config)) if config or mail is None else load_homes()
    loaded = [_load(rules, templates, homes)] + ([_load(against, None, homes)] if against else [])
    rulesets = [ruleset for ruleset, _ in loaded]
    known = {rule.id for ruleset in rulesets for rule in ruleset.rules}
    thresholds = [read_threshold(bound, known, against=against is not None) for bound in bounds]
    own = frozenset({parse_address(mailbox).normal}) if mailbox else frozenset[str]()
    setup = Setup(tuple(one for _, one in loaded), datetime.now(UTC), mailbox, labels, own, shown_actions)
    if mail is not None:
        report = _of_archive(mail, setup, rulesets, jobs)
    else:
        report = _of_mailbox(config, since or setup.start, setup, rulesets, jobs)
    with report:
        _print(report, limit, as_json)
        crossed = [said for threshold in thresholds if (said := threshold.crossed(report))]
    for said in crossed:
        click.echo(f"--fail-if {said}", err=True)
    raise SystemExit(1 if crossed else 0)


def _load(path: Path, templates: Path | None, homes: Homes) -> tuple[RuleSet, Version]:
    """Load one version, and what other processes load it from."""
    files = read_files(path, templates)
    ruleset = replace(load_set(files), homes=homes)
    library = load_library(files)
    known = {name: library.needs(name) for name in library.names} if library else None
    return ruleset, Version(files.rules, known, homes)


def _of_archive(mail: Path, setup: Setup, rulesets: Sequence[RuleSet], jobs: int) -> Report:
    with progress("judged", archive_bytes(mail) or None) as advance:
        judging = Judging(setup, rulesets)
        return go_through(
            read_archive(mail), setup, judging, jobs or cores(), lambda one: advance(weight(one))
        )


def _of_mailbox(
    config: str | None, since: datetime, setup: Setup, rulesets: Sequence[RuleSet], jobs: int
) -> Report:
    """Fetch first, to a file of ours: the service sets the pace, and memory stays flat."""
    with Spill[Item]() as fetched:
        own = asyncio.run(_fetch(config, since, setup, rulesets, fetched))
        setup = replace(setup, own=own)
        with progress("judged", len(fetched)) as advance:
            judging = Judging(setup, rulesets)
            return go_through(fetched, setup, judging, jobs or cores(), lambda one: advance(weight(one)))


async def _fetch(
    config: str | None, since: datetime, setup: Setup, rulesets: Sequence[RuleSet], into: Spill[Item]
) -> frozenset[str]:
    """Fetch a mailbox's past; give the addresses that are ours. Raises PostroomError."""
    async with open_office(load_settings(config)) as office:
        provider = office.provider(setup.mailbox)
        past = Past(provider, setup.mailbox, since, rulesets, setup.labels)
        try:
            keys = await list_keys(provider, setup.mailbox, since)
            with progress("fetched", len(keys)) as advance:
                async for found in read_past(past, keys):
                    advance(1)
                    if found is not None:
                        into.put(_order(found), found)
        except ProviderError as error:
            raise PostroomError(f"{setup.mailbox} cannot be read: {error}") from error
        profiles = await office.mailboxes.profiles()
        return our_addresses((setup.mailbox, *office.settings.mailboxes), profiles)


def _order(item: Item) -> int:
    received = item.received if isinstance(item, Message) else None
    return in_ms(received) if received else 0


def _print(report: Report, limit: int, as_json: bool) -> None:
    if as_json:
        for line in as_dicts(report):
            click.echo(json.dumps(line, ensure_ascii=False))
    else:
        for text in as_lines(report, limit):
            click.echo(text)
