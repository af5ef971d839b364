"""`postroom approvals`: what waits for a person, and deciding about it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from engine.cli.journal import as_json
from engine.cli.serve import config
from engine.cli.status import screen
from engine.cli.status_text import ago
from engine.cli.who import login
from engine.flow.approvals import Answer, Decision, Letter, Standing
from engine.settings import load_settings
from engine.store.approvals import RedisApprovals
from engine.store.letters import MAX_BY, MAX_REASON, became, in_full, in_short, one_line
from engine.wiring import Office, open_office

FIELDS = ("from", "to", "cc", "reply_to", "subject")
SHORT_ID = 12


@dataclass(frozen=True)
class Said:
    """What a person wants of one message."""

    by: str
    edit: bool
    subject: str | None
    text: str | None
    decision: Decision | None
    edition: int
    as_json: bool

    @property
    def rewrites(self) -> bool:
        return self.edit or self.subject is not None or self.text is not None

    def tell(self, text: str, **fields: str | int) -> None:
        click.echo(json.dumps(fields) if self.as_json else text)


@click.command()
@click.argument("run", required=False)
@click.option("--approve", is_flag=True, help="Have it sent as it stands.")
@click.option("--reject", is_flag=True, help="Never have it sent.")
@click.option("--reason", default="", help="Why it is rejected; goes into the journal.")
@click.option("--edit", is_flag=True, help="Change its text in $EDITOR.")
@click.option("--text", type=click.Path(exists=True, dir_okay=False), help="Take its text from a file.")
@click.option("--subject", help="Give it another subject.")
@click.option("--edition", default=0, metavar="N", help="Only if it is still the edition that you read.")
@click.option("--by", default="", metavar="NAME", help="Who decides; your login name unless given.")
@as_json
@config
def approvals(
    run: str | None,
    approve: bool,
    reject: bool,
    reason: str,
    edit: bool,
    text: str | None,
    subject: str | None,
    edition: int,
    by: str,
    as_json: bool,
    config: str | None,
) -> None:
    """Show the messages that wait for approval, or one of them; edit, approve or reject it.

    The first signs of a run's id suffice. Exit code 1 when it is decided already.
    """
    if approve and reject:
        raise click.UsageError("write --approve or --reject, not both")
    chosen = Standing.APPROVED if approve else Standing.REJECTED if reject else None
    who = one_line(by or login(), MAX_BY)
    decision = Decision(chosen, who, one_line(reason, MAX_REASON)) if chosen else None
    words = _written(text) if text else None
    said = Said(who, edit, subject, words, decision, edition, as_json)
    if not run and (said.rewrites or decision):
        raise click.UsageError("write which: postroom approvals RUN --approve")
    if reason and chosen is not Standing.REJECTED:
        raise click.UsageError("--reason goes with --reject")
    raise SystemExit(asyncio.run(_carry_out(run, said, config)))


def _written(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"--text: {file} cannot be read as UTF-8: {type(error).__name__}") from None


async def _carry_out(run: str | None, said: Said, config: str | None) -> int:
    async with open_office(load_settings(config)) as office:
        kept = RedisApprovals(office.base)
        waiting = await kept.waiting()
        if run is None:
            _list(waiting, said.as_json, office.clock())
            return 0
        only = await _only(office, waiting, run)
        answer = await _answer(office, kept, only, said)
        if answer is Answer.DONE:
            return 0
        click.echo(await became(kept, office.journal, only, answer), err=True)
        return 1


async def _only(office: Office, waiting: list[Letter], start: str) -> str:
    """The one run whose id begins so: of those that wait, else of all."""
    found = [one.run for one in waiting if one.run.startswith(start)] or await office.journal.find(start)
    if len(found) != 1:
        many = f"{len(found)} runs begin with {start}: write more of the id"
        raise click.ClickException(many if found else f"there is no run {start}")
    return found[0]


async def _answer(office: Office, kept: RedisApprovals, run: str, said: Said) -> Answer:
    """Show, edit, decide, as is wanted."""
    letter = await kept.get(run)
    if letter is None:
        return Answer.GONE
    if said.edition not in (0, letter.edition):
        return Answer.CHANGED
    if not said.rewrites and said.decision is None:
        told = in_full(letter)
        click.echo(json.dumps(told) if said.as_json else _whole(told))
        return Answer.DONE
    edition = said.edition
    if said.rewrites:
        answer, edition = await _edit(office, kept, letter, said)
        if answer is not Answer.DONE:
            return answer
    if said.decision is None:
        return Answer.DONE
    answer = await kept.decide(run, replace(said.decision, edition=edition), office.clock())
    if answer is Answer.DONE:
        state = said.decision.standing.value
        said.tell(f"{run} is {state} by {said.by}", run=run, state=state, by=said.by)
    return answer


async def _edit(office: Office, kept: RedisApprovals, letter: Letter, said: Said) -> tuple[Answer, int]:
    """Rewrite it; what is approved in the same breath is this edition alone."""
    text = said.text
    if said.edit:
        text = await asyncio.to_thread(click.edit, text or in_full(letter)["text"], extension=".txt")
        if text is None and said.subject is None:
            said.tell(
                "nothing was changed", run=letter.run, state=Standing.PENDING.value, edition=letter.edition
            )
            return Answer.DONE, letter.edition
    answer = await kept.edit(letter, said.subject, text, said.by, office.clock())
    edition = letter.edition + 1
    if answer is Answer.DONE:
        text = f"{letter.run} is edited, and waits as edition {edition}"
        said.tell(text, run=letter.run, state=Standing.PENDING.value, edition=edition)
    return answer, edition


def _list(waiting: list[Letter], as_json: bool, now: int) -> None:
    if as_json:
        for letter in waiting:
            click.echo(json.dumps(in_short(letter)))
        return
    if not waiting:
        click.echo("nothing waits for approval")
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("run", "asked", "expires in", "mailbox", "rule", "to", "subject"):
        table.add_column(column, overflow="fold", no_wrap=column == "run")
    for letter in waiting:
        about = letter.about
        more = f" and {len(about.to) - 1} more" if len(about.to) > 1 else ""
        cells = (
            letter.run[:SHORT_ID],
            ago(letter.asked, now, "-", " ago"),
            ago(now, letter.expires, "-"),
            about.mailbox,
            about.rule,
            f"{about.to[0] if about.to else '-'}{more}",
            about.subject,
        )
        table.add_row(*(Text(_printable(cell)) for cell in cells))
    screen().print(table)


def _whole(told: dict[str, Any]) -> str:
    """A message as a person reads it."""
    edited = f", edited by {told['edited_by']}" if "edited_by" in told else ""
    lines = [
        f"run {told['run']} of {told['rule']} in {told['mailbox']}: {told['state']}",
        f"asked {told['asked']}, expires {told['expires']}, edition {told['edition']}{edited}",
        "",
    ]
    for field in FIELDS:
        if said := told.get(field):
            lines.append(f"{field.replace('_', '-').title()}: {', '.join(said) if field == 'to' else said}")
    lines += [f"File: {one['name']} ({one['type']}, {one['size']:,} bytes)" for one in told["files"]]
    return _printable("\n".join([*lines, "", told["text"]])).rstrip()


def _printable(text: str) -> str:
    """Leave out what would steer a terminal: a message may quote what a stranger wrote."""
    return "".join(char if char.isprintable() or char == "\n" else " " for char in text)
