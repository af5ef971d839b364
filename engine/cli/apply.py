"""`postroom apply`: rules for mail that is there already."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from datetime import datetime
from typing import Any

import click

from engine.cli.apply_text import Counts, as_dict, as_lines
from engine.cli.backtest_progress import progress
from engine.cli.serve import config as config_option
from engine.cli.since import read_since
from engine.cli.words import many
from engine.errors import PostroomError, ProviderError
from engine.flow.apply import Applying, Tried, Wish, hand_over, preview
from engine.flow.listing import list_keys
from engine.flow.rulebook import Rulebook
from engine.mail.events import EventKind
from engine.rules.event_name import told
from engine.rules.findings import unknown
from engine.settings import load_settings
from engine.store.blobs import RedisBlobs
from engine.store.presence import at_work
from engine.store.records import RedisRecords
from engine.wiring import Office, open_office


@click.command()
@click.option("--mailbox", required=True, help="The mailbox whose mail it is.")
@click.option(
    "--since", required=True, metavar="WHEN", callback=read_since, help="How far back: 30d, or 2026-03-01."
)
@click.option("--rule", default="", help="This rule alone, as it acts among the others.")
@click.option("--with-sends", is_flag=True, help="Let rules also send, draft and call; else they only label.")
@click.option("--yes", is_flag=True, help="Do it without asking.")
@click.option("--limit", default=10, show_default=True, type=click.IntRange(0), help="Samples shown.")
@click.option("--json", "as_json", is_flag=True, help="JSON lines: the preview, then what was done.")
@config_option
def apply(
    mailbox: str,
    since: datetime,
    rule: str,
    with_sends: bool,
    yes: bool,
    limit: int,
    as_json: bool,
    config: str | None,
) -> None:
    """Let the rules in force act on mail that a mailbox holds already: first a preview, then, if you say so.

    A worker does it, through the same plan, guard and journal as for new mail, and behind it. What a rule
    did to a message before is not done again, so that this may be ended at any moment and begun anew.
    """
    wish = Wish(mailbox, since, rule, with_sends)

    async def run() -> int:
        async with open_office(load_settings(config)) as office:
            applying = await _applying(office, wish)
            try:
                tried, counts = await _preview(applying, wish, limit)
            except ProviderError as error:
                raise PostroomError(f"{mailbox} cannot be read: {error}") from error
            _tell(as_dict(tried, counts), list(as_lines(tried, counts)), as_json)
            if not tried.runs or not await asyncio.to_thread(_agreed, yes):
                return 0
            return await _carry_out(office, applying, wish, tried, as_json)

    raise SystemExit(asyncio.run(run()))


async def _applying(office: Office, wish: Wish) -> Applying:
    """Gather what it takes. Raises PostroomError where mailbox or rule is none that can be meant."""
    provider = office.provider(wish.mailbox)
    digest = await RedisBlobs(office.base).last_good()
    if not digest:
        raise PostroomError("no rules have been put in force yet: start a worker first")
    book = await office.keeper.pinned(digest)
    _check_rule(book, wish)
    cursor = await office.mailboxes.cursor(wish.mailbox)
    if cursor is None:
        raise PostroomError(f"{wish.mailbox} is not in service yet: let a worker read it once")
    return Applying(
        office.lanes,
        RedisRecords(office.base),
        provider,
        book,
        cursor,
        await office.mailboxes.profiles(),
        office.clock,
        office.draining.configured,
        office.draining.answer_within,
    )


def _check_rule(book: Rulebook, wish: Wish) -> None:
    if not wish.only:
        return
    rules = {rule.id: rule for rule in book.rules.rules}
    if wish.only not in rules:
        raise PostroomError(unknown("rule", wish.only, rules))
    rule = rules[wish.only]
    if rule.event is not EventKind.MESSAGE_RECEIVED:
        heard = told(rule.event)
        raise PostroomError(f"the rule {rule.id} hears {heard}: apply concerns mail that was received")
    if not rule.acts:
        raise PostroomError(f"the rule {rule.id} is not live (state: {rule.state}): it does nothing")
    if not rule.covers(wish.mailbox):
        raise PostroomError(f"the rule {rule.id} does not concern {wish.mailbox}")


async def _preview(applying: Applying, wish: Wish, samples: int) -> tuple[Tried, Counts]:
    tried, counts = Tried(), Counts()
    hearing = applying.book.rules.listening(EventKind.MESSAGE_RECEIVED, wish.mailbox)
    remembers = any(rule.remembers for rule in hearing)
    keys = await list_keys(applying.provider, wish.mailbox, wish.since)
    with progress("looked at", len(keys)) as advance:
        async for planned in preview(applying, wish, keys):
            advance(1)
            tried.add(planned, remembers=remembers)
            counts.add(planned, samples)
    return tried, counts


def _agreed(yes: bool) -> bool:
    if yes:
        return True
    if not sys.stdin.isatty():
        click.echo("nothing was done; --yes does it", err=True)
        return False
    return click.confirm("Do this?", err=True)


async def _carry_out(office: Office, applying: Applying, wish: Wish, tried: Tried, as_json: bool) -> int:
    """Hand it over, see it through, and say what came of it."""
    if not await at_work(office.base, ("worker",)):
        click.echo("no worker is at work: this waits until there is one", err=True)
    taken = 0
    with progress("handed over", len(tried.keys)) as advance:
        async for so_far in hand_over(applying, wish, tried.keys):
            for _ in range(so_far - taken):
                advance(1)
            taken = so_far
    states = await RedisRecords(office.base).run_states(tried.runs)
    counts = Counter(states.values())
    lost = len(tried.runs) - len(states)
    told = {"handed_over": taken, "runs": dict(sorted(counts.items())), "not_begun": lost}
    said = ", ".join(f"{count:,} {state}" for state, count in sorted(counts.items())) or "none"
    lines = [f"handed over {many(taken, 'message')}; runs: {said}"]
    if lost:
        lines.append(f"{many(lost, 'run')} not begun: mail or rules changed meanwhile; do it again")
    _tell(told, lines, as_json)
    return 1 if lost or counts["dead"] else 0


def _tell(told: dict[str, Any], lines: list[str], as_json: bool) -> None:
    for line in [json.dumps(told, ensure_ascii=False)] if as_json else lines:
        click.echo(line)
