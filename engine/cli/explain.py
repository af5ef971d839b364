"""`postroom explain`: why each rule matched a message, or why not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import click

from engine.cli.offline import DEFAULT_LABELS, read_labels, read_message, read_now, received
from engine.cli.rulefiles import TEMPLATES_OPTION, load_files
from engine.errors import PostroomError
from engine.mail.archive import Archived, read_archive
from engine.rules.evaluation import Reason, Verdict
from engine.rules.explain import explain as explain_rules
from engine.rules.findings import unknown

MARKS = {Verdict.MATCHED: "+", Verdict.NOT_MATCHED: "-", Verdict.UNDECIDED: "?"}


@click.command()
@click.argument("message", type=click.Path(path_type=Path))
@click.option(
    "--rules", required=True, type=click.Path(exists=True, path_type=Path), help="A file or folder."
)
@click.option("--rule", help="This rule alone, by its id.")
@TEMPLATES_OPTION
@click.option("--mailbox", default="", help="The mailbox it arrives in; in every rule's scope by default.")
@click.option(
    "--now", metavar="TIME", callback=read_now, help="The time of judging; the message's Date by default."
)
@click.option("--labels", default=DEFAULT_LABELS, show_default=True, callback=read_labels)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a rule and line.")
def explain(
    message: Path,
    rules: Path,
    rule: str | None,
    templates: Path | None,
    mailbox: str,
    now: datetime | None,
    labels: frozenset[str],
    as_json: bool,
) -> None:
    """Show why each rule matched MESSAGE or did not, condition by condition: + yes, - no, ? undecided."""
    ruleset = load_files(rules, templates)
    ids = [each.id for each in ruleset.rules]
    if rule is not None and rule not in ids:
        raise click.UsageError(unknown("rule", rule, ids))
    read, moment = read_message(_only(message), mailbox, labels, now)
    for reason in explain_rules(ruleset, received(read), read, moment, rule):
        click.echo(json.dumps(asdict(reason), ensure_ascii=False) if as_json else "\n".join(_tree(reason)))


def _only(path: Path) -> Archived:
    """Take the first message of the file. Raises PostroomError when none can be read."""
    first = next(iter(read_archive(path)), None)
    if first is None or first.error:
        raise PostroomError(f"{path}: {first.error if first else 'holds no message'}")
    return first


def _tree(reason: Reason, depth: int = 0) -> Iterator[str]:
    yield f"{'  ' * depth}{MARKS[reason.verdict]} {reason.path}: {reason.text}"
    for child in reason.children:
        yield from _tree(child, depth + 1)
