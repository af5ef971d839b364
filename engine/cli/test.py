"""`postroom test`: the rules' own tests."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import click

from engine.cli.rulefiles import TEMPLATES_OPTION, load_files
from engine.rules.testing import Outcome, run_tests
from engine.settings import load_settings

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@TEMPLATES_OPTION
@click.option("--config", metavar="FILE", help="The configuration; ./postroom.yaml by default.")
@click.option(
    "--junit", metavar="FILE", type=click.Path(path_type=Path), help="Write a JUnit report as well."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def test(
    paths: tuple[Path, ...], templates: Path | None, config: str | None, junit: Path | None, as_json: bool
) -> None:
    """Run the tests that stand beside the rules, each against its whole rule set."""
    settings = load_settings(config)
    chosen = paths or tuple(Path(path) for path in settings.rules)
    beside = templates or (None if paths else settings.templates)
    results = [result for path in chosen for result in run_tests(load_files(path, beside))]
    for result in results:
        _print(result, as_json)
    if junit:
        _write(junit, _junit(results))
    failed = sum(not result.passed for result in results)
    if not as_json:
        click.echo(f"{len(results)} tests, {failed} failed")
    raise SystemExit(1 if failed else 0)


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


def _xml(text: str) -> str:
    """Put U+FFFD for what no XML document may hold (XML 1.0, section 2.2)."""
    return _NOT_XML.sub("\ufffd", text)


def _junit(results: Sequence[Outcome]) -> bytes:
    failed = sum(not result.passed for result in results)
    totals = {"tests": str(len(results)), "failures": str(failed)}
    suite = ElementTree.Element("testsuite", {"name": "postroom", **totals})
    for result in results:
        where = {"file": _xml(result.place.file), "line": str(result.place.line)}
        case = ElementTree.SubElement(
            suite, "testcase", {"classname": result.rule, "name": _xml(result.name), **where}
        )
        if not result.passed:
            said = [_xml(problem) for problem in result.problems]
            ElementTree.SubElement(case, "failure", {"message": said[0]}).text = "\n".join(said)
    return bytes(ElementTree.tostring(suite, encoding="utf-8", xml_declaration=True))
