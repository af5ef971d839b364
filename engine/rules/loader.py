"""From rule files to a rule set, or to every problem in them."""

from __future__ import annotations

import gc
import hashlib
import json
from collections import ChainMap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from engine.errors import Place, PostroomError, RuleError
from engine.mail.needs import Needs
from engine.rules.calls import call_errors
from engine.rules.emitting import loop_errors
from engine.rules.findings import RuleErrors, in_order
from engine.rules.given_message import FIXTURE_SUFFIX
from engine.rules.home import NOWHERE, Homes
from engine.rules.lint import capture_findings
from engine.rules.model import RuleFile
from engine.rules.outside import outside_errors
from engine.rules.places import load_model
from engine.rules.reach import Reach
from engine.rules.ruleset import Rule, RuleSet, ordered
from engine.rules.unfold import unfold
from engine.rules.yaml import Map, Node, parse_yaml, plain

__all__ = ["RuleErrors", "RuleSet", "load_rules", "read_sources"]

RULE_SUFFIXES = (".yaml", ".yml")
MAX_FIXTURE = 10_000_000


def read_sources(path: Path) -> dict[str, str]:
    """Read a rule file, or a folder of them with all below, as file name -> text.

    Fixtures (.eml) that some rule file names come along, each byte as one character. Raises PostroomError.
    """
    if not path.exists():
        raise PostroomError(f"{path} does not exist; name a rule file or a folder of rule files")
    folder = path if path.is_dir() else path.parent
    files = [path] if path.is_file() else _below(folder, RULE_SUFFIXES)
    sources = {_name(file, folder): _text(file) for file in files}
    if any(FIXTURE_SUFFIX in text for text in sources.values()):
        sources |= _fixtures(folder, list(sources.values()))
    return sources


def _below(folder: Path, suffixes: tuple[str, ...]) -> list[Path]:
    return sorted(
        file
        for file in folder.rglob("*")
        if file.suffix in suffixes and file.is_file() and not file.name.startswith(".")
    )


def _name(file: Path, folder: Path) -> str:
    return file.relative_to(folder).as_posix()


def _text(file: Path) -> str:
    """Read UTF-8; bytes that are none are kept as half characters, which the parser then refuses."""
    try:
        return file.read_bytes().decode("utf-8-sig", "surrogateescape")
    except OSError as error:
        raise PostroomError(f"{file} cannot be read: {error.strerror}") from None


def _fixtures(folder: Path, texts: list[str]) -> dict[str, str]:
    named = [file for file in _below(folder, (FIXTURE_SUFFIX,)) if any(file.name in text for text in texts)]
    return {
        _name(file, folder): file.read_bytes().decode("latin-1")
        for file in named
        if file.stat().st_size <= MAX_FIXTURE
    }


def load_rules(
    sources: Mapping[str, str], templates: Mapping[str, Needs] | None, homes: Homes = NOWHERE
) -> RuleSet:
    """Load all files as one rule set. Raises RuleErrors with every problem of every file.

    `templates` are those that rules may name; with None, any name is taken.
    """
    with _no_garbage_collection():
        return replace(_load(sources, templates, homes.reach), homes=homes)


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _load(sources: Mapping[str, str], templates: Mapping[str, Needs] | None, reach: Reach) -> RuleSet:
    errors: list[RuleError] = []
    roots = _parse_all(sources, errors)
    own = {file: _lists(root) for file, root in roots.items()}
    shared = _of_all(own)
    rules: list[Rule] = []
    for file, root in roots.items():
        context = {"lists": ChainMap(own[file], shared), "templates": templates}
        try:
            rules += unfold(load_model(root, RuleFile, file, context), root, file)
        except RuleErrors as found:
            errors += found.errors
    findings = [finding for rule in rules for finding in capture_findings(rule, roots[rule.place.file])]
    errors += _twice(rules) + _lost_fixtures(rules, sources)
    errors += [error for rule in rules for error in call_errors(rule, roots[rule.place.file], templates)]
    errors += [error for rule in rules for error in outside_errors(rule, roots[rule.place.file], reach)]
    errors += [*loop_errors(rules, roots), *(finding.error for finding in findings if finding.fatal)]
    warnings = in_order(finding.error for finding in findings if not finding.fatal)
    if errors:
        raise RuleErrors(in_order(errors), warnings)
    fixtures = {name: text.encode("latin-1") for name, text in sources.items() if _is_fixture(name)}
    positions = {rule.id: index for index, rule in enumerate(rules)}
    return RuleSet(ordered(rules, positions), digest(sources), tuple(warnings), fixtures)


def digest(sources: Mapping[str, str]) -> str:
    """Hash the sources in a canonical form."""
    return hashlib.sha256(json.dumps(dict(sources), sort_keys=True).encode()).hexdigest()


def _is_fixture(name: str) -> bool:
    return name.endswith(FIXTURE_SUFFIX)


def _parse_all(sources: Mapping[str, str], errors: list[RuleError]) -> dict[str, Node]:
    roots: dict[str, Node] = {}
    for file, text in sorted(sources.items()):
        if _is_fixture(file):
            continue
        try:
            roots[file] = parse_yaml(text, file)
        except RuleErrors as found:
            errors += found.errors
    return roots


def _lists(root: Node) -> dict[str, Any]:
    """Give the lists of a file that are well formed; the others are reported with the whole file."""
    if not isinstance(root, Map) or "lists" not in root.items:
        return {}
    lists = plain(root.items["lists"][1])
    if not isinstance(lists, dict):
        return {}
    as_lists = {name: [value] if isinstance(value, str) else value for name, value in lists.items()}
    return {
        name: tuple(entry for entry in value if isinstance(entry, str))
        for name, value in as_lists.items()
        if isinstance(value, list)
    }


def _of_all(own: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Give the lists of all files; of equal names, that of the first file by name."""
    found: dict[str, Any] = {}
    for file in sorted(own, reverse=True):
        found.update(own[file])
    return found


def _twice(rules: list[Rule]) -> list[RuleError]:
    """Find ids that are taken: rules and groups share them."""
    first: dict[str, tuple[str, Place]] = {}
    errors = []
    for kind, name, place in _named(rules):
        if name in first:
            what, where = first[name]
            said = f"the id '{name}' is taken by the {what} at {where.file}:{where.line}; choose another"
            errors.append(RuleError(said, place))
        first.setdefault(name, (kind, place))
    return errors


def _named(rules: list[Rule]) -> Iterator[tuple[str, str, Place]]:
    seen: set[Place] = set()
    for rule in rules:
        for group in rule.groups:
            if group.place not in seen:
                seen.add(group.place)
                yield "group", group.id, group.place
        yield "rule", rule.id, rule.place


def fixture_name(file: str, fixture: str) -> str:
    """A fixture's name among the sources: it is written relative to its rule file."""
    return (PurePosixPath(file).parent / fixture).as_posix()


def _lost_fixtures(rules: list[Rule], sources: Mapping[str, str]) -> list[RuleError]:
    return [
        RuleError(f"there is no fixture '{fixture}' beside this file", placed.place)
        for rule in rules
        for placed in rule.tests
        for given in (placed.test.message, *placed.test.state.earlier)
        if (fixture := given.fixture) is not None and fixture_name(rule.place.file, fixture) not in sources
    ]
