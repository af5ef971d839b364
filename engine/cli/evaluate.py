"""`postroom evaluate`: what rules would do to mail that lies in files, offline."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn

from engine.cli.inputs import shown_actions
from engine.cli.offline import DEFAULT_LABELS, read_labels, read_message, read_now, received
from engine.cli.rulefiles import TEMPLATES_OPTION, load_files
from engine.flow.guard import held, once_key
from engine.mail.address import Address
from engine.mail.archive import Archived, read_archive
from engine.mail.message import Message
from engine.rules.effects import Effect, SendMessage
from engine.rules.evaluate import evaluate as judge
from engine.rules.evaluation import Evaluation, Match
from engine.rules.memory import Ledger
from engine.rules.ruleset import Rule, RuleSet

Answered = dict[str, datetime]
"""When a rule last answered a correspondent."""


@click.command()
@click.option(
    "--rules", required=True, type=click.Path(exists=True, path_type=Path), help="A file or folder."
)
@click.option(
    "--mail", required=True, type=click.Path(path_type=Path), help="An .eml, folder, zip, mbox, Maildir."
)
@TEMPLATES_OPTION
@click.option("--mailbox", default="", help="The mailbox it arrives in; in every rule's scope by default.")
@click.option(
    "--now", metavar="TIME", callback=read_now, help="The time of judging; each message's Date by default."
)
@click.option("--labels", default=DEFAULT_LABELS, show_default=True, callback=read_labels)
@click.option("--json", "_as_json", is_flag=True, help="JSON lines they are in any case.")
def evaluate(
    rules: Path,
    mail: Path,
    templates: Path | None,
    mailbox: str,
    now: datetime | None,
    labels: frozenset[str],
    _as_json: bool,
) -> None:
    """Judge every message of an archive and print one JSON line for each."""
    ruleset = load_files(rules, templates)
    lines = _lines(ruleset, read_archive(mail), mailbox, now, labels)
    failed = False
    for line in _shown(lines):
        failed = failed or "error" in line
        click.echo(json.dumps(line, ensure_ascii=False))
    raise SystemExit(1 if failed else 0)


def _lines(
    ruleset: RuleSet,
    archive: Iterable[Archived],
    mailbox: str,
    now: datetime | None,
    labels: frozenset[str],
) -> Iterator[dict[str, Any]]:
    own = frozenset({Address("", mailbox).normal}) if mailbox else frozenset[str]()
    rules = {rule.id: rule for rule in ruleset.rules}
    answered: Answered = {}
    ledger = Ledger()
    for archived in archive:
        if archived.error:
            yield {"message": archived.name, "error": archived.error}
            continue
        message, moment = read_message(archived, mailbox, labels, now)
        evaluation = judge(ruleset, received(message), message, moment, ledger.memory, final=True)
        ledger.add(evaluation.remembered)
        yield _line(rules, evaluation, message, moment, own, answered)


def _line(
    rules: Mapping[str, Rule],
    evaluation: Evaluation,
    message: Message,
    now: datetime,
    own: frozenset[str],
    answered: Answered,
) -> dict[str, Any]:
    change = evaluation.labels
    line: dict[str, Any] = {
        "message": message.key,
        "runs": [_run(rules[match.rule], match, message, now, own, answered) for match in evaluation.matches],
        "labels": {"add": list(change.add), "remove": list(change.remove)},
    }
    if evaluation.shadows:
        line["shadow"] = [
            {"rule": match.rule, "actions": shown_actions(rules[match.rule], match)}
            for match in evaluation.shadows
        ]
    if evaluation.undecided:
        line["undecided"] = [each.rule for each in evaluation.undecided]
    return line


def _run(
    rule: Rule, match: Match, message: Message, now: datetime, own: frozenset[str], answered: Answered
) -> dict[str, Any]:
    run: dict[str, Any] = {"rule": match.rule, "actions": shown_actions(rule, match)}
    reasons = [
        held(effect, message, own) or _too_soon(match.rule, effect, message, now, answered)
        for effect in match.effects
    ]
    if any(reasons):
        run["held"] = next(filter(None, reasons))
    return run


def _too_soon(rule: str, effect: Effect, message: Message, now: datetime, answered: Answered) -> str | None:
    """Hold a second answer within its window, and remember the first."""
    if not isinstance(effect, SendMessage) or effect.once_per is None:
        return None
    key = once_key(message.mailbox, rule, effect, message)
    last = answered.get(key)
    if last is not None and 0 <= (now - last).total_seconds() < effect.once_per.seconds:
        return f"this sender was answered at {last.isoformat()} already"
    answered[key] = now
    return None


def _shown(lines: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Count messages on a terminal, unless the lines themselves go there."""
    quiet = not sys.stderr.isatty() or sys.stdout.isatty()
    columns = (SpinnerColumn(), TextColumn("{task.completed} messages"))
    bar = None if quiet else Progress(*columns, console=Console(stderr=True))
    with bar or nullcontext():
        task = bar.add_task("", total=None) if bar else None
        for line in lines:
            yield line
            if bar and task is not None:
                bar.advance(task)
