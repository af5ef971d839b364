"""`postroom explain`: why each rule matched a message, or why not."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from engine.cli.called import call_from_file
from engine.cli.offline import DEFAULT_LABELS, read_labels, read_message, read_now, received
from engine.cli.past import Case, in_mailbox, of_run
from engine.cli.rulefiles import TEMPLATES_OPTION, load_files
from engine.cli.serve import config as config_option
from engine.errors import PostroomError
from engine.mail.archive import Archived, read_archive
from engine.mail.message import no_message
from engine.rules.evaluation import NOT_ONE_RULE, Reason, Verdict
from engine.rules.explain import explain as explain_rules
from engine.rules.findings import unknown
from engine.rules.ruleset import RuleSet
from engine.settings import Settings, load_settings
from engine.settings.homes import homes_of
from engine.wiring import open_office

MARKS = {Verdict.MATCHED: "+", Verdict.NOT_MATCHED: "-", Verdict.UNDECIDED: "?"}


@click.command()
@click.argument("file", metavar="[FILE]", required=False, type=click.Path(path_type=Path))
@click.option("--rules", type=click.Path(exists=True, path_type=Path), help="A file or folder.")
@click.option("--rule", help="This rule alone, by its id; of a run, its own by default.")
@TEMPLATES_OPTION
@click.option("--mailbox", default="", help="The mailbox it arrives in; in every rule's scope by default.")
@click.option("--hook", metavar="NAME", help="FILE is the body of a call of this hook.")
@click.option("--message", metavar="ID", help="A message of the mailbox, instead of a file.")
@click.option("--run", metavar="RUN", help="A run of the past, by the first signs of its id.")
@click.option(
    "--now", metavar="TIME", callback=read_now, help="The time of judging; the message's Date by default."
)
@click.option("--labels", callback=lambda *given: read_labels(*given) if given[2] else None)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a rule and line.")
@config_option
def explain(
    file: Path | None,
    rules: Path | None,
    rule: str | None,
    templates: Path | None,
    mailbox: str,
    hook: str | None,
    message: str | None,
    run: str | None,
    now: datetime | None,
    labels: frozenset[str] | None,
    as_json: bool,
    config: str | None,
) -> None:
    """Show why each rule matched a message or did not, condition by condition: + yes, - no, ? undecided.

    FILE holds the message, or with --hook the body of a call; --mailbox and --message name one where it
    lies, and --run one that rules have dealt with, which is judged by the rules of then and by those of
    now. Below what did not match stand, after >, the fewest changes after which it would have.
    """
    if sum(each is not None for each in (file, message, run)) != 1:
        raise click.UsageError("name one message: FILE, --mailbox with --message, or --run")
    ruleset = load_files(rules, templates) if rules else None
    if file is not None:
        if ruleset is None:
            raise click.UsageError("--rules says which rules to explain")
        if config:
            ruleset = replace(ruleset, homes=homes_of(load_settings(config)))
        of_call = _of_call(file, ruleset, hook, mailbox, now) if hook else None
        cases = [of_call or _of_file(file, ruleset, mailbox, labels, now)]
    elif run is not None:
        ruleset = _at_home(ruleset, load_settings(config))
        chosen, cases = asyncio.run(_past(config, run, ruleset, labels, now))
        rule = rule or chosen
    else:
        if not mailbox:
            raise click.UsageError("--message needs --mailbox")
        ruleset = _at_home(ruleset, load_settings(config))
        cases = [asyncio.run(_there(config, mailbox, str(message), ruleset, labels, now))]
    _check_rule(cases, rule)
    for case in cases:
        _show(case, rule, as_json)


def _at_home(ruleset: RuleSet | None, settings: Settings) -> RuleSet | None:
    return replace(ruleset, homes=homes_of(settings)) if ruleset else None


def _of_file(
    path: Path, ruleset: RuleSet, mailbox: str, labels: frozenset[str] | None, now: datetime | None
) -> Case:
    own = frozenset(DEFAULT_LABELS.split(",")) if labels is None else labels
    message, moment = read_message(_only(path), mailbox, own, now)
    return Case(ruleset, received(message), message, moment)


def _of_call(path: Path, ruleset: RuleSet, hook: str, mailbox: str, now: datetime | None) -> Case:
    event = call_from_file(path, hook, mailbox)
    return Case(ruleset, event, no_message(mailbox), now or datetime.now(UTC))


def _only(path: Path) -> Archived:
    """Take the first message of the file, and say which where there are more.

    Raises PostroomError when it cannot be read.
    """
    found = list(itertools.islice(read_archive(path), 2))
    if not found:
        raise PostroomError(f"{path}: holds no message")
    first = found[0]
    if len(found) > 1:
        click.echo(f"{path} holds several messages; this is the first of them: {first.name}", err=True)
    if first.error:
        raise PostroomError(f"{path}: {first.error}" if len(found) == 1 else f"{first.name}: {first.error}")
    return first


async def _there(
    config: str | None,
    mailbox: str,
    key: str,
    ruleset: RuleSet | None,
    labels: frozenset[str] | None,
    now: datetime | None,
) -> Case:
    async with open_office(load_settings(config)) as office:
        return _adjusted(await in_mailbox(office, mailbox, key, ruleset, now), labels, now)


async def _past(
    config: str | None,
    run: str,
    ruleset: RuleSet | None,
    labels: frozenset[str] | None,
    now: datetime | None,
) -> tuple[str | None, list[Case]]:
    async with open_office(load_settings(config)) as office:
        found, cases = await of_run(office, run, ruleset)
    rule = None if found.rule == NOT_ONE_RULE else found.rule
    return rule, [_adjusted(case, labels, now) for case in cases]


def _adjusted(case: Case, labels: frozenset[str] | None, now: datetime | None) -> Case:
    message = case.message if labels is None else case.message.relabelled(labels)
    return replace(case, message=message, now=now or case.now)


def _check_rule(cases: Sequence[Case], rule: str | None) -> None:
    ids = {each.id for case in cases for each in case.ruleset.rules}
    if rule is not None and rule not in ids:
        raise click.UsageError(unknown("rule", rule, ids))


def _show(case: Case, rule: str | None, as_json: bool) -> None:
    reasons = explain_rules(case.ruleset, case.event, case.message, case.now, rule, case.memory)
    if as_json:
        for reason in reasons:
            click.echo(json.dumps({**_asked(case), **asdict(reason)}, ensure_ascii=False))
        return
    if case.heading:
        click.echo(f"{case.heading}:")
    for reason in reasons:
        click.echo("\n".join(_tree(reason)))
    if not reasons:
        click.echo(f"- {rule}: there is no such rule")


def _asked(case: Case) -> dict[str, Any]:
    return {"rules": case.when} if case.when else {}


def _tree(reason: Reason, depth: int = 0) -> Iterator[str]:
    lacks = f"; {reason.lacks}" if reason.lacks else ""
    yield f"{'  ' * depth}{MARKS[reason.verdict]} {reason.path}: {reason.text}{lacks}"
    for child in reason.children:
        yield from _tree(child, depth + 1)
    if reason.nearest:
        changes = ", ".join(f"{change.path} {change.text}" for change in reason.nearest)
        yield f"{'  ' * (depth + 1)}> nearest: {changes}"
