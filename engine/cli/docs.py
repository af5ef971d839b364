"""`postroom docs`: the reference of the rule language."""

from __future__ import annotations

import click

from engine.rules.reference import reference


@click.command()
def docs() -> None:
    """Print the reference of the rule language, as Markdown."""
    click.echo(reference(), nl=False)
