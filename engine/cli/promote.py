"""`postroom promote`: what a rule in shadow would have done, and making it live."""

from __future__ import annotations

import asyncio
import codecs
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from engine.cli.promote_text import as_dict, as_lines
from engine.cli.rulefiles import Files, chosen_files, load_library, load_set
from engine.cli.serve import config as config_option
from engine.cli.since import read_since
from engine.errors import PostroomError, ProviderError
from engine.flow.holding import our_addresses
from engine.flow.promoting import Shadowed, shadowed
from engine.rules.findings import unknown
from engine.rules.promotion import made_live
from engine.rules.ruleset import Rule
from engine.rules.testing import examine
from engine.settings import load_settings
from engine.settings.homes import homes_of
from engine.store.undoing import RedisUndoings
from engine.wiring import Office, open_office

WEEK = timedelta(days=7)


@click.command()
@click.argument("rule")
@click.option("--since", metavar="WHEN", callback=read_since, help="How far back: 7d by default.")
@click.option("--write", is_flag=True, help="Make it live in its file.")
@click.option("--limit", default=10, show_default=True, type=click.IntRange(0), help="Samples shown.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@config_option
def promote(
    rule: str, since: datetime | None, write: bool, limit: int, as_json: bool, config: str | None
) -> None:
    """Show what a rule in shadow would have done, beside what live rules did with the same messages.

    With --write its file says `state: live` afterwards, and nothing else in it changes; else the line to
    change is named.
    """
    settings = load_settings(config)
    (files,) = chosen_files((), None, settings)
    found = _in_shadow(files, rule)
    text, line = _made_live(files, found)
    after = since or datetime.now(UTC) - WEEK

    async def look() -> list[Shadowed]:
        async with open_office(settings) as office:
            return await _shadowed(office, rule, after)

    matches = asyncio.run(look())
    place = f"{found.place.file}:{line}"
    if as_json:
        click.echo(json.dumps(as_dict(rule, matches, place, limit, written=write), ensure_ascii=False))
    else:
        click.echo("\n".join(as_lines(rule, after, matches, limit)))
    if write:
        examined = examine({**files.rules, found.place.file: text}, load_library(files), homes_of(settings))
        if examined.errors:
            raise PostroomError(f"nothing was written: {examined.errors[0]}")
        _replace(Path(found.place.file).resolve(), files.rules[found.place.file], text)
    if not as_json:
        click.echo(f"{place} says state: live now" if write else f"to make it live: state: live in {place}")


def _in_shadow(files: Files, rule: str) -> Rule:
    rules = {each.id: each for each in load_set(files).rules}
    if rule not in rules:
        raise PostroomError(unknown("rule", rule, rules))
    if rules[rule].state != "shadow":
        raise PostroomError(f"the rule {rule} is not in shadow (state: {rules[rule].state})")
    return rules[rule]


def _made_live(files: Files, rule: Rule) -> tuple[str, int]:
    try:
        return made_live(files.rules[rule.place.file], rule)
    except ValueError as error:
        raise PostroomError(str(error)) from None


async def _shadowed(office: Office, rule: str, since: datetime) -> list[Shadowed]:
    store, cut = RedisUndoings(office.base), int(since.timestamp() * 1000)
    runs = [one.run for one in await store.since(cut, rule=rule) if one.run.shadow]
    live = await store.beside({run.event for run in runs}, {run.mailbox for run in runs}, cut)
    profiles = await office.mailboxes.profiles()
    own = our_addresses(office.settings.mailboxes, profiles)
    try:
        return await shadowed(runs, live, office.provider, own)
    except ProviderError as error:
        raise PostroomError(f"who would have been written to cannot be read: {error}") from error


def _replace(path: Path, old: str, new: str) -> None:
    """Write a file whole or not at all, with the permissions that it has, unless it was changed meanwhile."""
    found = path.read_bytes()
    encoding = "utf-8-sig" if found.startswith(codecs.BOM_UTF8) else "utf-8"
    if found != old.encode(encoding):
        raise PostroomError(f"nothing was written: {path} was changed meanwhile")
    beside = path.with_name(f".{path.name}.promoting")
    beside.write_bytes(new.encode(encoding))
    beside.chmod(path.stat().st_mode)
    beside.replace(path)
