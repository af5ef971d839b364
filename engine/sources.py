"""Rule and template files: read as the configuration names them, and checked together."""

from __future__ import annotations

from pathlib import Path

from engine.flow.rulebook import Sources
from engine.rules.home import NOWHERE, Homes
from engine.rules.loader import read_sources
from engine.rules.testing import check_ruleset
from engine.settings import Settings
from engine.templating.folder import read_folder
from engine.templating.library import TemplateErrors, load_templates


def read_rule_sources(settings: Settings) -> Sources:
    """The text of every rule and template file; of several folders, each file by its path."""
    paths = [Path(path) for path in settings.rules]
    rules: dict[str, str] = {}
    for path in paths:
        folder = "" if len(paths) == 1 else f"{(path if path.is_dir() else path.parent).as_posix()}/"
        rules |= {f"{folder}{name}": text for name, text in read_sources(path).items()}
    return Sources(rules, read_folder(settings.templates))


def check_sources(sources: Sources, homes: Homes = NOWHERE) -> list[str]:
    """Every problem of rules and templates, failing tests included."""
    try:
        library = load_templates(sources.templates)
    except TemplateErrors as errors:
        return [str(error) for error in errors.errors]
    return [str(finding) for finding in check_ruleset(sources.rules, library, homes)]
