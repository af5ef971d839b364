"""`audit`: is every message accounted for?"""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta

import click

from engine.cli.serve import config
from engine.errors import ProviderError, SettingsError
from engine.flow.audit import Report
from engine.flow.audit import audit as account_for
from engine.settings import duration, load_settings
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
    """Account for every message. Exit code 1 when one was missed or needs a person."""
    settings = load_settings(config)
    remembered = settings.retention - A_DAY_S
    age = min(duration(since), remembered) if since else remembered
    start = datetime.now(UTC) - timedelta(seconds=age)

    async def run() -> tuple[list[Report], dict[str, tuple[int, str]]]:
        async with open_office(settings) as office:
            names = mailboxes or tuple(settings.mailboxes)
            paused = await office.mailboxes.paused()
            return [await audit_mailbox(office, name, start) for name in names], paused

    reports, paused = asyncio.run(run())
    for report in reports:
        why = paused.get(report.mailbox, (0, ""))[1]
        click.echo(json.dumps(as_dict(report) | {"paused": why}) if as_json else as_text(report))
        if why and not as_json:
            click.echo(f"  paused: {why}")
    raise SystemExit(1 if any(report.findings for report in reports) else 0)


async def audit_mailbox(office: Office, mailbox: str, since: datetime | None = None) -> Report:
    """Account for one mailbox. Raises SettingsError when its provider cannot be read."""
    try:
        return await account_for(RedisRecords(office.base), office.provider(mailbox), mailbox, since)
    except ProviderError as error:
        raise SettingsError(f"{mailbox} cannot be audited: {error}") from error


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
