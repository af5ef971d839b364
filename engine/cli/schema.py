"""`postroom schema`: what an editor completes rule files by."""

from __future__ import annotations

import json

import click

from engine.rules.schema import rules_schema


@click.command()
@click.option("--json", "_as_json", is_flag=True, help="JSON it is in any case.")
def schema(_as_json: bool) -> None:
    """Print the JSON Schema of rule files."""
    click.echo(json.dumps(rules_schema(), indent=2, ensure_ascii=False))
