"""`recover`: after writes were lost, look up what was done, and let acting go on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict

import click

from engine.cli.serve import config
from engine.cli.words import many
from engine.errors import PostroomError, SettingsError, TemplateError
from engine.flow.doubt import FOUND, NOTHING, UNKNOWN, Recovering, Report, leave_in_doubt, look_up
from engine.flow.doubt_answers import find_answers
from engine.flow.rulebook import Rulebook, compile_sources
from engine.mail.events import SEND_LANE, hook_lane
from engine.settings import load_settings
from engine.sources import read_rule_sources
from engine.store.blobs import RedisBlobs
from engine.store.doubts import RedisDoubts
from engine.store.halt import Halt, halt, lift, read_halt
from engine.wiring import Office, open_office

CALLED_AGAIN_MS = 3 * 86_400_000
"""For so long a call that got no answer may come again; Stripe's do."""
WORDS = {FOUND: "was done", NOTHING: "not found: looked for once more, then done", UNKNOWN: "cannot be told"}


@click.command()
@click.option(
    "--mailbox", "mailboxes", multiple=True, help="These alone; a halt then stays until all were looked at."
)
@click.option("--dry-run", is_flag=True, help="Look, and write nothing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a mailbox, then one for the halt.")
@config
def recover(mailboxes: tuple[str, ...], dry_run: bool, as_json: bool, config: str | None) -> None:
    """Look up what may have been done before writes were lost; then let acting go on.

    Exit code 1 while something has to be put right first.
    """
    reports, standing = asyncio.run(_recover(mailboxes, dry_run, config))
    for report in reports:
        click.echo(json.dumps(asdict(report)) if as_json else "\n".join(_lines(report)))
    if as_json:
        click.echo(json.dumps({"halted": asdict(standing) if standing else None}))
    else:
        click.echo(str(standing) if standing else "acting goes on")
    raise SystemExit(0 if all(report.clear for report in reports) else 1)


async def _recover(
    mailboxes: tuple[str, ...], dry_run: bool, config: str | None
) -> tuple[list[Report], Halt | None]:
    settings = load_settings(config)
    wanted = dict.fromkeys(mailboxes or settings.mailboxes)
    if strange := [name for name in wanted if name not in settings.mailboxes]:
        raise SettingsError(f"there is no mailbox '{strange[0]}' in the configuration")
    async with open_office(settings) as office:
        before = await read_halt(office.base)
        if not dry_run:
            await halt(office.base, "`postroom recover` is at work", office.clock())
            lanes = [SEND_LANE, *map(hook_lane, settings.hooks)]
            await RedisDoubts(office.base).doubt_calls(lanes, office.clock() + CALLED_AGAIN_MS)
        since = before.since if before else office.clock()
        reports = [report async for report in _look_up_all(office, wanted, since, dry_run)]
        complete = wanted.keys() == settings.mailboxes.keys()
        reports += await _leave_absent(office, dry_run) if complete else []
        all_looked_at = complete or before is None
        if not dry_run and all_looked_at and all(report.clear for report in reports):
            await lift(office.base)
        return reports, await read_halt(office.base)


async def _look_up_all(
    office: Office, mailboxes: dict[str, None], since: int, dry_run: bool
) -> AsyncIterator[Report]:
    recovering = Recovering(RedisDoubts(office.base), dry_run, office.clock)
    unsettled = await recovering.doubts.unsettled()
    book = await _rules(office)
    for mailbox in mailboxes:
        report, provider = Report(mailbox), office.provider(mailbox)
        await look_up(recovering, provider, report, [one for one in unsettled if one.run.mailbox == mailbox])
        cursor = await office.mailboxes.cursor(mailbox)
        if cursor is None or cursor.started > since:
            report.notes.append("it is not remembered and begins anew: earlier mail is left alone")
        if book is None:
            report.notes.append("no rules load: once_per may answer somebody again")
        elif cursor and report.clear:
            await find_answers(recovering, provider, book.rules, report, cursor.history)
        yield report


async def _leave_absent(office: Office, dry_run: bool) -> list[Report]:
    """What is not configured may come back: it goes on in doubt."""
    recovering = Recovering(RedisDoubts(office.base), dry_run, office.clock)
    known = await recovering.doubts.mailboxes()
    reports = [Report(mailbox) for mailbox in known if mailbox not in office.settings.mailboxes]
    unsettled = await recovering.doubts.unsettled() if reports else []
    for report in reports:
        own = [one for one in unsettled if one.run.mailbox == report.mailbox]
        await leave_in_doubt(recovering, report, own)
    return reports


async def _rules(office: Office) -> Rulebook | None:
    """The rules on disk, else those that were in force last."""
    try:
        return compile_sources(read_rule_sources(office.settings))
    except (PostroomError, OSError):
        digest = await RedisBlobs(office.base).last_good()
    try:
        return await office.keeper.pinned(digest) if digest else None
    except TemplateError:
        return None


def _lines(report: Report) -> Iterator[str]:
    looks, answers = many(len(report.looks), "step"), many(report.answers, "answer")
    yield f"{report.mailbox}: {looks} looked up, {answers} remembered"
    for look in report.looks:
        why = f" ({look.why})" if look.why else ""
        yield f"  {look.run[:12]}  {look.rule}  step {look.step}: {WORDS[look.state]}{why}"
    yield from (f"  note: {note}" for note in report.notes)
    yield from (f"  to be put right: {trouble}" for trouble in report.trouble)
