"""`postroom list`: every condition and every action there is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import click

from engine.rules.action import Action
from engine.rules.condition import Condition
from engine.rules.registry import ACTIONS, CONDITIONS

Groups = tuple[tuple[str, Mapping[str, type[Condition] | type[Action]]], ...]


@click.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def list_(as_json: bool) -> None:
    """List the conditions and actions that rules may use."""
    components = list(_components())
    if as_json:
        click.echo(json.dumps(components, indent=2, ensure_ascii=False))
        return
    for kind in ("condition", "action"):
        click.echo(f"{kind}s")
        for one in components:
            if one["kind"] == kind:
                click.echo(f"  {one['name']:<12}{one['summary']}")


def _components() -> Iterator[dict[str, Any]]:
    groups: Groups = (("condition", CONDITIONS), ("action", ACTIONS))
    for kind, found in groups:
        for key, component in sorted(found.items()):
            text = (component.__doc__ or "").strip()
            yield {
                "kind": kind,
                "name": key,
                "summary": text.splitlines()[0],
                "description": text,
                "keys": [] if component.only_bare else component.keys(),
                "examples": list(component.examples),
            }
