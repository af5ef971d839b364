"""`audit`: is every message accounted for?"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import click

from engine.cli.serve import config
from engine.errand import in_background
from engine.errors import ProviderError, SettingsError
from engine.flow.audit import Report
from engine.flow.audit import audit as account_for
from engine.flow.silence import Alarm
from engine.settings import duration, load_settings
from engine.store.board import Lane
from engine.store.records import RedisRecords
from engine.wiring import Office, open_office

A_DAY_S = 86_400
"""Judged messages are remembered for `retention`: audits look back one day less."""


@click.command()
@click.option("--mailbox", "mailboxes", multiple=True, help="These alone; else all that are configured.")
@click.option("--since", metavar="AGE", help="Only what arrived within this time, such as 7d.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a mailbox.")
@config
def audit(mailboxes: tuple[str, ...], since: str | None, as_json: bool, config: str | None) -> None:
    """Account for every message, and show the silence alarm.

    Exit code 1 when a message was missed or needs a person; alarms alone do not change it.
    """
    settings = load_settings(config)
    remembered = settings.retention - A_DAY_S
    age = min(duration(since), remembered) if since else remembered
    start = datetime.now(UTC) - timedelta(seconds=age)

    async def run() -> tuple[list[Report], dict[str, Lane], list[Alarm]]:
        async with open_office(settings) as office:
            names = mailboxes or tuple(settings.mailboxes)
            lanes = await office.board.lanes()
            alarms = await office.board.alarms(lanes, office.clock())
            reports = [await audit_mailbox(office, name, start) for name in names]
            return reports, {lane.mailbox: lane for lane in lanes}, alarms

    reports, lanes, alarms = asyncio.run(run())
    (print_json if as_json else print_text)(reports, lanes, alarms)
    raise SystemExit(1 if any(report.findings for report in reports) else 0)


def print_json(reports: Sequence[Report], lanes: Mapping[str, Lane], alarms: Sequence[Alarm]) -> None:
    """One object a mailbox, with the alarms of its account."""
    for report in reports:
        lane = lanes[report.mailbox]
        about = (report.mailbox, lane.watched.account)
        told = [asdict(alarm) for alarm in alarms if alarm.about in about]
        paused = lane.pause.why if lane.pause else ""
        click.echo(json.dumps(as_dict(report) | {"paused": paused, "alarms": told}))


def print_text(reports: Sequence[Report], lanes: Mapping[str, Lane], alarms: Sequence[Alarm]) -> None:
    """The mailboxes, then what concerns the webhooks of a whole account."""
    for report in reports:
        click.echo("\n".join([as_text(report), *as_lines(lanes[report.mailbox], alarms)]))
    accounts = {lanes[report.mailbox].watched.account for report in reports}
    for alarm in alarms:
        if alarm.about in accounts:
            click.echo(f"{alarm.about}: {alarm.kind}: {alarm.text}")


async def audit_mailbox(office: Office, mailbox: str, since: datetime | None = None) -> Report:
    """Account for one mailbox. Raises SettingsError when its provider cannot be read."""
    try:
        with in_background():
            return await account_for(RedisRecords(office.base), office.provider(mailbox), mailbox, since)
    except ProviderError as error:
        raise SettingsError(f"{mailbox} cannot be audited: {error}") from error


def as_lines(lane: Lane, alarms: Sequence[Alarm]) -> Iterator[str]:
    """What else a person should know of a mailbox."""
    if lane.pause:
        yield f"  paused: {lane.pause.why}"
    yield from (f"  {alarm.kind}: {alarm.text}" for alarm in alarms if alarm.about == lane.mailbox)


def as_dict(report: Report) -> dict[str, object]:
    return {
        "mailbox": report.mailbox,
        "counts": dict(report.counts),
        "findings": [{"message": one.key, "state": one.state, "why": one.why} for one in report.findings],
    }


def as_text(report: Report) -> str:
    counts = ", ".join(f"{count} {state}" for state, count in sorted(report.counts.items())) or "no messages"
    lines = [f"{report.mailbox}: {counts}"]
    lines += [f"  {one.state}: {one.key or 'everything'}: {one.why}" for one in report.findings]
    return "\n".join(lines)
