"""`postroom record`: a real message as a fixture for rule tests."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import click

from engine.cli.offline import read_message, received
from engine.cli.rulefiles import TEMPLATES_OPTION, load_files
from engine.cli.serve import config as config_option
from engine.cli.words import many
from engine.errors import MessageGone, PostroomError
from engine.mail.archive import Archived, read_archive
from engine.mail.events import Event
from engine.mail.message import Message
from engine.record.compare import Recorded
from engine.record.compare import record as record_message
from engine.rules.ruleset import RuleSet
from engine.settings import load_settings
from engine.settings.homes import homes_of
from engine.wiring import open_office

LABELS = frozenset({"INBOX", "UNREAD"})
NO_RULES = RuleSet((), "")
MAX_NAMED = 10


@dataclass(frozen=True, slots=True)
class _Case:
    raw: bytes
    message: Message
    event: Event
    now: datetime


@click.command()
@click.argument("file", metavar="[FILE]", required=False, type=click.Path(path_type=Path))
@click.option("--mailbox", default="", help="The mailbox it lies in, or arrives in.")
@click.option("--message", metavar="ID", help="A message of the mailbox, instead of a file.")
@click.option("--redact", is_flag=True, help="Replace everything personal.")
@click.option(
    "--rules", type=click.Path(exists=True, path_type=Path), help="Rules that must judge both messages alike."
)
@TEMPLATES_OPTION
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="A file; standard output by default."
)
@config_option
def record(
    file: Path | None,
    mailbox: str,
    message: str | None,
    redact: bool,
    rules: Path | None,
    templates: Path | None,
    output: Path | None,
    config: str | None,
) -> None:
    """Turn a real message into a fixture for rule tests.

    With --redact it keeps its structure, its sizes and the names of its header fields; names, addresses,
    subjects, texts, file names and ids become others, the same for the same. Of --rules, words stay where a
    condition compared them, so that the same rules match. Exit code 1 where some rule judges it otherwise.
    """
    if (file is None) is (message is None):
        raise click.UsageError("name one message: FILE, or --mailbox with --message")
    if message is not None and not mailbox:
        raise click.UsageError("--message needs --mailbox")
    case = _from_file(file, mailbox) if file else asyncio.run(_from_mailbox(config, mailbox, str(message)))
    if not redact:
        _write(case.raw, output)
        return
    ruleset = load_files(rules, templates) if rules else NO_RULES
    if config or message:
        ruleset = replace(ruleset, homes=homes_of(load_settings(config)))
    made = record_message(case.raw, ruleset, case.message, case.event, case.now)
    _write(made.raw, output)
    _tell(made, ruleset)
    raise SystemExit(0 if made.faithful else 1)


def _from_file(path: Path, mailbox: str) -> _Case:
    first = next(iter(read_archive(path)), None)
    if first is None or first.error:
        raise PostroomError(f"{path}: {first.error if first else 'holds no message'}")
    return _case(first, mailbox)


def _case(archived: Archived, mailbox: str) -> _Case:
    message, now = read_message(archived, mailbox, LABELS, None)
    return _Case(archived.raw, message, received(message), now)


async def _from_mailbox(config: str | None, mailbox: str, key: str) -> _Case:
    async with open_office(load_settings(config)) as office:
        try:
            raw = await office.provider(mailbox).raw(mailbox, key)
        except MessageGone:
            raise PostroomError(f"{mailbox} holds no message {key} any more") from None
        case = _case(Archived(key, raw), mailbox)
        return replace(case, now=datetime.fromtimestamp(office.clock() / 1000, UTC))


def _write(raw: bytes, output: Path | None) -> None:
    if output is None:
        sys.stdout.buffer.write(raw)
        sys.stdout.buffer.flush()
        return
    try:
        output.write_bytes(raw)
    except OSError as error:
        raise click.UsageError(f"{output} cannot be written: {error.strerror}") from None


def _tell(made: Recorded, ruleset: RuleSet) -> None:
    """Say on standard error what the fixture shows of the rules, and what it does not."""
    matching = ", ".join(made.matched[:MAX_NAMED]) or "none"
    click.echo(f"{many(len(ruleset.rules), 'rule')} judged, matching: {matching}", err=True)
    for rule in made.differing:
        click.echo(
            f"'{rule}' judges the redacted message otherwise: what it asks for is not in its words", err=True
        )
    if not made.structure:
        click.echo(
            "the redacted message has other parts than the real one: it is too broken to take apart", err=True
        )
