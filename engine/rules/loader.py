"""From rule files to a rule set, or to every problem in them."""

from __future__ import annotations

import gc
import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from engine.errors import Place, PostroomError, RuleError
from engine.mail.needs import Needs
from engine.rules.findings import RuleErrors, in_order
from engine.rules.home import NOWHERE, Homes
from engine.rules.lint import capture_findings
from engine.rules.model import FIXTURE_SUFFIX, RuleFile, RuleModel
from engine.rules.places import load_model, place_of
from engine.rules.ruleset import PlacedTest, Rule, RuleSet, TemplateUse, ordered
from engine.rules.templated import Templated
from engine.rules.text import fold
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
        return replace(_load(sources, templates), homes=homes)


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _load(sources: Mapping[str, str], templates: Mapping[str, Needs] | None) -> RuleSet:
    errors: list[RuleError] = []
    roots = _parse_all(sources, errors)
    shared = {file: _lists(root) for file, root in roots.items()}
    rules: list[Rule] = []
    for file, root in roots.items():
        context = {"lists": _visible(file, shared), "templates": templates}
        try:
            rules += _rules(load_model(root, RuleFile, file, context), root, file)
        except RuleErrors as found:
            errors += found.errors
    findings = [finding for rule in rules for finding in capture_findings(rule, roots[rule.place.file])]
    errors += _twice(rules) + _lost_fixtures(rules, sources)
    errors += [finding.error for finding in findings if finding.fatal]
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


def _visible(file: str, shared: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """A file's own lists come before those of other files, and these in the order of file names."""
    visible: dict[str, Any] = {}
    for other in sorted(shared, reverse=True):
        visible.update(shared[other])
    return {**visible, **shared[file]}


def _rules(model: RuleFile, root: Node, file: str) -> Iterator[Rule]:
    for index, rule in enumerate(model.rules):
        at = ("rules", index)
        yield Rule(
            id=rule.id,
            title=rule.title,
            event=rule.event,
            layer=rule.layer or model.layer,
            priority=rule.priority,
            scope=tuple(glob.mapped(fold) for glob in rule.mailboxes or model.mailboxes or ()),
            when=rule.when,
            then=rule.then,
            stop=rule.stop,
            place=place_of(root, (*at, "id"), file),
            tests=tuple(
                PlacedTest(test, place_of(root, (*at, "tests", number), file))
                for number, test in enumerate(rule.tests)
            ),
            templates=tuple(_template_uses(rule, root, file, at)),
            location=at,
        )


def _template_uses(
    rule: RuleModel, root: Node, file: str, at: tuple[str | int, ...]
) -> Iterator[TemplateUse]:
    for number, action in enumerate(rule.then):
        if isinstance(action, Templated):
            place = place_of(root, (*at, "then", number, action.key), file)
            yield TemplateUse(action.template, dict(action.with_), place)


def _twice(rules: list[Rule]) -> list[RuleError]:
    first: dict[str, Place] = {}
    errors = []
    for rule in rules:
        if rule.id in first:
            where = f"{first[rule.id].file}:{first[rule.id].line}"
            errors.append(RuleError(f"the id '{rule.id}' is taken by the rule at {where}", rule.place))
        first.setdefault(rule.id, rule.place)
    return errors


def fixture_name(file: str, fixture: str) -> str:
    """A fixture's name among the sources: it is written relative to its rule file."""
    return (PurePosixPath(file).parent / fixture).as_posix()


def _lost_fixtures(rules: list[Rule], sources: Mapping[str, str]) -> list[RuleError]:
    return [
        RuleError(f"there is no fixture '{fixture}' beside this file", placed.place)
        for rule in rules
        for placed in rule.tests
        if (fixture := placed.test.message.fixture) is not None
        and fixture_name(rule.place.file, fixture) not in sources
    ]
