"""Rule and template files as commands name them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

from engine.errors import RuleError
from engine.rules.findings import RuleErrors
from engine.rules.home import Homes
from engine.rules.loader import load_rules, read_sources
from engine.rules.ruleset import RuleSet
from engine.rules.testing import misused
from engine.settings import Settings
from engine.settings.homes import load_homes
from engine.templating.folder import read_folder
from engine.templating.library import Library, TemplateErrors, load_templates

TEMPLATES = "templates"
TEMPLATES_OPTION = click.option(
    "--templates",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Their folder; beside the rules by default.",
)


@dataclass(frozen=True)
class Files:
    """The sources of a rule set, by their paths, and of its templates, by their names in their folder."""

    rules: Mapping[str, str]
    templates: Mapping[str, str] | None
    """None where there is no folder of templates at all."""
    template_folder: Path


def read_files(rules: Path, templates: Path | None) -> Files:
    """Read rules, and templates from the given folder or the one beside the rules."""
    folder = rules if rules.is_dir() else rules.parent
    beside = folder.absolute().parent / TEMPLATES
    where = templates or (folder / ".." / TEMPLATES if folder.is_absolute() else Path(_relative(beside)))
    return Files(_sources(rules, folder), read_templates(where), where)


def chosen_files(paths: Sequence[Path], templates: Path | None, settings: Settings) -> list[Files]:
    """Read each path as a set of its own; with no path, what the configuration names as the one set it is."""
    if paths:
        return [read_files(path, templates) for path in paths]
    folder = templates or settings.templates
    sources: dict[str, str] = {}
    for rules in map(Path, settings.rules):
        sources |= _sources(rules, rules if rules.is_dir() else rules.parent)
    return [Files(sources, read_templates(folder), folder)]


def _sources(rules: Path, folder: Path) -> dict[str, str]:
    """Read rule files by their names as they are reached from here, so that findings name them so."""
    sources = read_sources(rules)
    if not sources:
        raise click.UsageError(f"{rules} is a rules folder without *.yaml or *.yml")
    return {(folder / name).as_posix(): text for name, text in sources.items()}


def _relative(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def read_templates(folder: Path) -> dict[str, str] | None:
    """Read every template of a folder, as file name -> text; None when there is no such folder."""
    if not folder.is_dir():
        return None
    return read_folder(folder)


def load_files(rules: Path, templates: Path | None) -> RuleSet:
    """Load a rule set for judging; on errors, print them all and end with exit code 1."""
    return load_set(read_files(rules, templates))


def load_set(files: Files) -> RuleSet:
    """Load what was read; on errors, print them all and end with exit code 1."""
    ruleset, errors = try_set(files)
    if ruleset is None:
        for error in errors:
            click.echo(str(error), err=True)
        raise SystemExit(1)
    return ruleset


def try_set(files: Files, homes: Homes | None = None) -> tuple[RuleSet | None, list[RuleError]]:
    """Load what was read, or give every problem of rules and templates.

    What is said of the mailboxes is read from the configuration unless given.
    """
    try:
        library = load_library(files)
        known = {name: library.needs(name) for name in library.names} if library else None
        ruleset = load_rules(files.rules, known, load_homes() if homes is None else homes)
    except RuleErrors as found:
        return None, list(found.errors)
    except TemplateErrors as wrong:
        return None, [below(error, files.template_folder) for error in wrong.errors]
    if library is None and ruleset.template_uses:
        click.echo(f"no templates in {files.template_folder}: their names are not checked", err=True)
    errors = misused(ruleset, library)
    return (None if errors else ruleset), errors


def load_library(files: Files) -> Library | None:
    """Compile the templates. Raises TemplateErrors."""
    return None if files.templates is None else load_templates(files.templates)


def below(error: RuleError, folder: Path) -> RuleError:
    """Name a problem's file as it is reached from here."""
    return RuleError(error.message, replace(error.place, file=(folder / error.place.file).as_posix()))
