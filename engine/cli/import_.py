"""`postroom import`: rules from filters that were written for something else."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path

import click

from engine.cli.serve import config
from engine.errors import RuleError
from engine.imports.canonical import as_yaml
from engine.imports.gmail import import_gmail
from engine.imports.outcome import Imported, Loss
from engine.imports.sieve.importer import import_sieve
from engine.imports.zoom import import_zoom
from engine.settings import load_settings
from engine.wiring import open_office

FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
OUTPUT = click.option("-o", "--output", type=click.Path(path_type=Path), help="A rule file to write.")
TEMPLATES = click.option(
    "--templates",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where to write templates that rules need.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object: rules, losses, notes.")


@click.group("import")
def import_() -> None:
    """Translate filters into rules: YAML on standard output, what is lost on standard error.

    Exit code 1 when something is lost, or when the file cannot be read at all.
    """


@import_.command()
@FILE
@OUTPUT
@TEMPLATES
@JSON
def sieve(file: Path, output: Path | None, templates: Path | None, as_json: bool) -> None:
    """Translate a Sieve script; scripts that it includes lie beside it."""
    folder = file.parent

    def read(name: str) -> str | None:
        inside = Path(name).name == name and name not in (".", "..")
        found = [folder / each for each in (f"{name}.sieve", name) if inside and (folder / each).is_file()]
        return _text(found[0].read_bytes()) if found else None

    _finish(lambda: import_sieve(_text(_bytes(file)), _name(file), read), file, output, as_json, templates)


@import_.command()
@FILE
@OUTPUT
@JSON
def gmail(file: Path, output: Path | None, as_json: bool) -> None:
    """Translate filters that Gmail exported (mailFilters.xml)."""
    _finish(lambda: import_gmail(_bytes(file), _name(file)), file, output, as_json)


@import_.command()
@click.argument(
    "file", required=False, type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)
)
@click.option("--mailbox", help="A configured mailbox whose own filters are read.")
@OUTPUT
@JSON
@config
def zoom(
    file: Path | None, mailbox: str | None, output: Path | None, as_json: bool, config: str | None
) -> None:
    """Translate the filters in a Zoom Mail mailbox's settings, or such a list from a JSON file."""
    if (file is None) == (mailbox is None):
        raise click.UsageError("name a mailbox (--mailbox) or a file with the list of its filters")
    text = _text(_bytes(file)) if file else asyncio.run(_of_mailbox(mailbox or "", config))
    name = _name(file) if file else f"filters of {mailbox}"
    _finish(lambda: import_zoom(text, name), Path(name), output, as_json)


async def _of_mailbox(mailbox: str, config: str | None) -> str:
    async with open_office(load_settings(config)) as office:
        return json.dumps({"filter": await office.filters(mailbox)})


def _finish(
    translate: Callable[[], Imported],
    source: Path,
    output: Path | None,
    as_json: bool,
    templates: Path | None = None,
) -> None:
    """Translate, write, and end with exit code 1 where something is lost."""
    try:
        imported = translate()
    except RuleError as error:
        click.echo(f"{error}", err=True)
        raise SystemExit(1) from None
    text = _as_json(imported) if as_json else as_yaml(imported.rules, [f"Imported from {_name(source)}."])
    if output is None:
        click.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8")
    if templates is not None:
        _write_templates(imported, templates)
    if not as_json:
        _tell(imported)
    raise SystemExit(1 if imported.losses else 0)


def _write_templates(imported: Imported, folder: Path) -> None:
    """Write the templates that are not there yet; one that somebody has changed stays as it is."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in imported.templates.items():
        if not (folder / name).exists():
            (folder / name).write_text(text, encoding="utf-8")


def _tell(imported: Imported) -> None:
    for loss in imported.losses:
        click.echo(f"{loss.place}: lost: {loss.what}", err=True)
    for note in imported.notes:
        click.echo(f"{note.place}: note: {note.what}", err=True)


def _as_json(imported: Imported) -> str:
    def told(losses: tuple[Loss, ...]) -> list[dict[str, object]]:
        return [
            {"file": loss.place.file, "line": loss.place.line, "column": loss.place.column, "what": loss.what}
            for loss in losses
        ]

    answer = {"rules": imported.rules, "losses": told(imported.losses), "notes": told(imported.notes)}
    return json.dumps(answer, ensure_ascii=False) + "\n"


def _bytes(file: Path) -> bytes:
    return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()


def _text(raw: bytes) -> str:
    """Read UTF-8, and what is none as the Latin-1 that old scripts are written in."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _name(file: Path) -> str:
    return "standard input" if str(file) == "-" else file.name
