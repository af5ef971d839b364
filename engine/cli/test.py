"""`postroom test`: the rules' own tests."""

from __future__ import annotations

import json
from pathlib import Path

import click

from engine.cli.junit import junit
from engine.cli.rulefiles import TEMPLATES_OPTION, chosen_files, try_set
from engine.cli.words import many
from engine.rules.testing import Outcome, run_tests
from engine.settings import load_settings
from engine.settings.homes import homes_of


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@TEMPLATES_OPTION
@click.option("--config", metavar="FILE", help="The configuration; ./postroom.yaml by default.")
@click.option(
    "--junit",
    "report",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write a JUnit report as well.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def test(
    paths: tuple[Path, ...], templates: Path | None, config: str | None, report: Path | None, as_json: bool
) -> None:
    """Run the tests that stand beside the rules, each against its whole rule set."""
    settings = load_settings(config)
    homes = homes_of(settings)
    loaded = [try_set(files, homes) for files in chosen_files(paths, templates, settings)]
    errors = [error for _, found in loaded for error in found]
    results = [result for ruleset, _ in loaded if ruleset for result in run_tests(ruleset)]
    for error in errors:
        click.echo(str(error), err=True)
    for result in results:
        _print(result, as_json)
    if report:
        _write(report, junit(results, errors))
    failed = sum(not result.passed for result in results)
    if not as_json and (results or not errors):
        click.echo(f"{many(len(results), 'test')}, {failed} failed")
    raise SystemExit(1 if failed or errors else 0)


def _print(result: Outcome, as_json: bool) -> None:
    place = result.place
    if as_json:
        fields = {"rule": result.rule, "test": result.name, "passed": result.passed}
        where = {"file": place.file, "line": place.line, "problems": list(result.problems)}
        click.echo(json.dumps(fields | where, ensure_ascii=False))
    elif not result.passed:
        click.echo(f"{place.file}:{place.line}:{place.column} {result.rule}: {result.name}")
        for problem in result.problems:
            click.echo(f"    {problem}")


def _write(path: Path, report: bytes) -> None:
    try:
        path.write_bytes(report)
    except OSError as error:
        raise click.UsageError(f"{path} cannot be written: {error.strerror}") from None
