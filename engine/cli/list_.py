"""`postroom list`: every condition and every action there is; the rules, in their order."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from engine.cli.rulefiles import TEMPLATES_OPTION, chosen_files, load_set
from engine.cli.ruletable import as_dict, as_lines
from engine.rules.action import Action
from engine.rules.condition import Condition
from engine.rules.registry import ACTIONS, CONDITIONS
from engine.settings import load_settings

Groups = Mapping[str, Mapping[str, type[Condition] | type[Action]]]
COMPONENTS: Groups = {"conditions": CONDITIONS, "actions": ACTIONS}


@click.command(name="list")
@click.argument("what", default="components", type=click.Choice(["components", *COMPONENTS, "rules"]))
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@TEMPLATES_OPTION
@click.option("--config", metavar="FILE", help="The configuration; ./postroom.yaml by default.")
@click.option("--mailbox", default="", help="Of rules, those that apply to this mailbox.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def list_(
    what: str,
    paths: tuple[Path, ...],
    templates: Path | None,
    config: str | None,
    mailbox: str,
    as_json: bool,
) -> None:
    """List the conditions and actions that rules may use, or the `rules` as they are evaluated.

    Rules come in the order in which they are judged; PATHS are rule files or folders, those of the
    configuration by default.
    """
    if what == "rules":
        _rules(paths, templates, config, mailbox, as_json)
        return
    if paths:
        raise click.UsageError(f"{what} take no paths; write: postroom list rules {paths[0]}")
    components = list(_components({what: COMPONENTS[what]} if what in COMPONENTS else COMPONENTS))
    click.echo(_document(components) if as_json else "\n".join(_lines(components)))


def _rules(
    paths: tuple[Path, ...], templates: Path | None, config: str | None, mailbox: str, as_json: bool
) -> None:
    sets = [load_set(files) for files in chosen_files(paths, templates, load_settings(config))]
    rules = [rule for ruleset in sets for rule in ruleset.rules if rule.covers(mailbox)]
    click.echo(_document(list(map(as_dict, rules))) if as_json else "\n".join(as_lines(rules)))


def _document(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _lines(components: list[dict[str, Any]]) -> Iterator[str]:
    for kind in dict.fromkeys(one["kind"] for one in components):
        yield f"{kind}s"
        yield from (f"  {one['name']:<12}{one['summary']}" for one in components if one["kind"] == kind)


def _components(groups: Groups) -> Iterator[dict[str, Any]]:
    for kind, found in groups.items():
        for key, component in sorted(found.items()):
            text = (component.__doc__ or "").strip()
            yield {
                "kind": kind.removesuffix("s"),
                "name": key,
                "summary": text.splitlines()[0],
                "description": text,
                "keys": [] if component.only_bare else component.keys(),
                "examples": list(component.examples),
            }
