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
Reports = Mapping[str, Report | SettingsError]
"""By mailbox, or why it could not be read."""


@click.command()
@click.option("--mailbox", "mailboxes", multiple=True, help="These alone; else all that are configured.")
@click.option("--since", metavar="AGE", help="Only what arrived within this time, such as 7d.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a mailbox.")
@config
def audit(mailboxes: tuple[str, ...], since: str | None, as_json: bool, config: str | None) -> None:
    """Account for every message, and show the silence alarm.

    Exit code 1 when a message was missed or needs a person, 2 when a mailbox could not be read; alarms alone
    do not change it.
    """
    settings = load_settings(config)
    remembered = settings.retention - A_DAY_S
    age = min(duration(since), remembered) if since else remembered
    start = datetime.now(UTC) - timedelta(seconds=age)

    async def run() -> tuple[Reports, dict[str, Lane], list[Alarm]]:
        async with open_office(settings) as office:
            names = mailboxes or tuple(settings.mailboxes)
            for name in names:
                office.provider(name)
            lanes = await office.board.lanes()
            alarms = await office.board.alarms(lanes, office.clock())
            reports = {name: await _report(office, name, start) for name in names}
            return reports, {lane.mailbox: lane for lane in lanes}, alarms

    reports, lanes, alarms = asyncio.run(run())
    (print_json if as_json else print_text)(reports, lanes, alarms)
    if failed := [str(report) for report in reports.values() if not isinstance(report, Report)]:
        raise SettingsError("\n".join(failed))
    raise SystemExit(1 if any(report.findings for report in _read(reports)) else 0)


async def _report(office: Office, mailbox: str, since: datetime) -> Report | SettingsError:
    """Account for one mailbox; one that cannot be read keeps nobody from hearing of the others."""
    try:
        return await audit_mailbox(office, mailbox, since)
    except SettingsError as error:
        return error


def _read(reports: Reports) -> Iterator[Report]:
    return (report for report in reports.values() if isinstance(report, Report))


def print_json(reports: Reports, lanes: Mapping[str, Lane], alarms: Sequence[Alarm]) -> None:
    """One object a mailbox that could be read, with the alarms of its account."""
    for report in _read(reports):
        lane = lanes[report.mailbox]
        about = (report.mailbox, lane.watched.account)
        told = [asdict(alarm) for alarm in alarms if alarm.about in about]
        paused = lane.pause.why if lane.pause else ""
        click.echo(json.dumps(as_dict(report) | {"paused": paused, "alarms": told}))


def print_text(reports: Reports, lanes: Mapping[str, Lane], alarms: Sequence[Alarm]) -> None:
    """The mailboxes, then what concerns the webhooks of a whole account."""
    for mailbox, report in reports.items():
        told = as_text(report) if isinstance(report, Report) else f"{mailbox}: not audited"
        click.echo("\n".join([told, *as_lines(lanes[mailbox], alarms)]))
    accounts = {lanes[mailbox].watched.account for mailbox in reports}
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
