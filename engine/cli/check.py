"""`postroom check`: every finding in rules, templates and settings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from engine.cli.bound import bound_as_dict, bound_as_line
from engine.cli.hookcheck import hook_warnings
from engine.cli.mailstates import read_profiles, state_warnings
from engine.cli.rulefiles import TEMPLATES_OPTION, Files, below, chosen_files, load_library
from engine.cli.servers import server_warnings
from engine.errors import RuleError
from engine.rules.bound import bounds
from engine.rules.findings import RuleErrors
from engine.rules.home import Homes
from engine.rules.lints.flaw import Flaw
from engine.rules.lints.run import lint
from engine.rules.loader import load_rules
from engine.rules.ruleset import RuleSet
from engine.rules.testing import examine
from engine.settings import Settings, load_settings
from engine.settings.homes import homes_of
from engine.settings.outside import budgets_of
from engine.sources import read_rule_sources
from engine.templating.library import Library, TemplateErrors, load_templates
from engine.templating.sampling import sample_faults


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@TEMPLATES_OPTION
@click.option("--config", metavar="FILE", help="The configuration; ./postroom.yaml by default.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def check(paths: tuple[Path, ...], templates: Path | None, config: str | None, as_json: bool) -> None:
    """Check rules, templates and settings; name every finding with file, line and column."""
    settings = load_settings(config)
    chosen = chosen_files(paths, templates, settings)
    homes = homes_of(settings)
    findings: list[_Found] = []
    sets: list[RuleSet] = []
    for files in chosen:
        ruleset, found_here = _findings(files, homes)
        findings += found_here
        sets += [ruleset] if ruleset else []
    if not paths and settings.mailboxes:
        findings += _states(settings)
    for found in findings:
        click.echo(json.dumps(_as_dict(found)) if as_json else "\n".join(_lines(found)))
    if not findings and not as_json:
        click.echo("no findings")
    budgets = budgets_of(settings.mailboxes, settings.outbound)
    for bound in (each for one in sets for each in bounds(one, budgets, [*settings.mailboxes])):
        click.echo(json.dumps(bound_as_dict(bound)) if as_json else bound_as_line(bound))
    raise SystemExit(1 if any(not found.stated for found in findings) else 0)


@dataclass(frozen=True, slots=True)
class _Found:
    level: str
    error: RuleError
    flaw: Flaw | None = None
    """What a check of the rules' meaning knows beside."""

    @property
    def stated(self) -> bool:
        """Whether it is no fault, since the author gave a reason for it."""
        return self.flaw is not None and self.flaw.check == "unguarded"


def _findings(files: Files, homes: Homes) -> tuple[RuleSet | None, list[_Found]]:
    """Load a set, None where it does not load, and find what is wrong with it."""
    templates, library = _templates(files)
    checked = examine(files.rules, library, homes)
    found = [*templates, *(_Found("error", error) for error in checked.errors)]
    found += [_Found("warning", error) for error in checked.warnings]
    for flaw in lint(checked.ruleset) if checked.ruleset else ():
        found.append(_Found("error" if flaw.certain else "warning", flaw.error, flaw))
    return checked.ruleset, found


def _templates(files: Files) -> tuple[list[_Found], Library | None]:
    library = None
    try:
        library = load_library(files) or load_templates({})
        errors: list[RuleError] = list(sample_faults(library))
    except TemplateErrors as wrong:
        errors = list(wrong.errors)
    return [_Found("error", below(error, files.template_folder)) for error in errors], library


def _states(settings: Settings) -> Iterator[_Found]:
    """What the mailboxes' own settings and states mean for rules; nothing where rules do not even load."""
    profiles = read_profiles(settings)
    if profiles is None:
        click.echo("the states of the mailboxes are not known: there is no Redis to ask", err=True)
    try:
        ruleset = load_rules(read_rule_sources(settings).rules, None)
    except RuleErrors:
        return
    warnings = [*server_warnings(settings, ruleset), *state_warnings(settings, ruleset, profiles or {})]
    warnings += hook_warnings(settings, ruleset)
    yield from (_Found("warning", warning) for warning in warnings)


def _lines(found: _Found) -> Iterator[str]:
    yield str(found.error) if found.level == "error" else f"{found.error} (warning)"
    if found.flaw and found.flaw.proof:
        yield f"    {found.flaw.proof}"


def _as_dict(found: _Found) -> dict[str, Any]:
    place = found.error.place
    told = {
        "level": found.level,
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "path": place.path,
        "message": found.error.message,
    }
    return told | (_meaning(found.flaw) if found.flaw else {})


def _meaning(flaw: Flaw) -> dict[str, Any]:
    told: dict[str, Any] = {"check": flaw.check}
    if flaw.other:
        place = flaw.other.place
        told["other"] = {"rule": flaw.other.id, "file": place.file, "line": place.line}
    return told | ({"given": flaw.proof.given()} if flaw.proof else {})
