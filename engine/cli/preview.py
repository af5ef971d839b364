"""`postroom preview`: a template filled in, as HTML and text to look at."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import yaml

from engine.cli.offline import read_now
from engine.cli.rulefiles import TEMPLATES_OPTION, below, read_templates
from engine.errors import PostroomError, TemplateError
from engine.mail.archive import read_archive
from engine.mail.mime import from_raw
from engine.settings import load_settings
from engine.settings.homes import load_homes
from engine.templating.entry import Entry
from engine.templating.grammar import GIVEN, unknown
from engine.templating.library import Library, Rendered, TemplateErrors, load_templates
from engine.templating.sampling import MAILBOX, sample_context, sample_raw

MAX_DATA = 1_000_000
"""Bytes of a file of data."""


@click.command()
@click.argument("template")
@click.option(
    "--mail", type=click.Path(exists=True, path_type=Path), help="The message it answers; the first of many."
)
@click.option(
    "--data", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Inputs, as JSON or YAML."
)
@TEMPLATES_OPTION
@click.option("--language", default="", help="A variant, such as de; chosen as in production by default.")
@click.option(
    "--to", "recipients", multiple=True, metavar="ADDRESS", help="Who gets it, for the choice of a language."
)
@click.option("--mailbox", default=MAILBOX, show_default=True, help="The mailbox it leaves from.")
@click.option("--now", metavar="TIME", callback=read_now, help="The time that it shows as now.")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), default=Path("preview"), show_default=True,
    help="The folder to write to.",
)  # fmt: skip
@click.option("--config", metavar="FILE", help="The configuration; ./postroom.yaml by default.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def preview(
    template: str,
    mail: Path | None,
    data: Path | None,
    templates: Path | None,
    language: str,
    recipients: tuple[str, ...],
    mailbox: str,
    now: datetime | None,
    out: Path,
    config: str | None,
    as_json: bool,
) -> None:
    """Write a template as HTML and text, filled in with its sample data or yours."""
    library, name = _find(template, templates or Path(load_settings(config).templates))
    raw = _raw(mail) if mail else sample_raw()
    context = sample_context(
        library.entry(name),
        from_raw(raw, key="preview", mailbox=mailbox),
        _read_data(data, library.entry(name)) if data else {},
        mailbox=mailbox,
        now=now or datetime.now(UTC),
        recipients=recipients,
        zone=load_homes(config).of(mailbox).zone,
    )
    try:
        rendered = library.render(name, context, language)
    except TemplateError as error:
        click.echo(str(error), err=True)
        raise SystemExit(1) from None
    shown = _told(rendered) | _write(out, name, rendered)
    click.echo(
        json.dumps(shown)
        if as_json
        else "\n".join(f"{key}: {value}" for key, value in shown.items() if value)
    )


def _find(template: str, folder: Path) -> tuple[Library, str]:
    """Load the folder, and know the template by name or by path; faults are printed, and end with 1."""
    sources = read_templates(folder)
    if sources is None:
        raise click.UsageError(f"there is no folder {folder}")
    try:
        library = load_templates(sources)
    except TemplateErrors as wrong:
        for error in wrong.errors:
            click.echo(str(below(error, folder)), err=True)
        raise SystemExit(1) from None
    name = template
    if Path(template).is_file() and Path(template).resolve().is_relative_to(folder.resolve()):
        name = Path(template).resolve().relative_to(folder.resolve()).with_suffix("").as_posix()
    if name not in library:
        raise click.UsageError(
            f"no template '{template}' in {folder}; there are {', '.join(sorted(library.names))}"
        )
    return library, name


def _raw(mail: Path) -> bytes:
    for one in read_archive(mail):
        if one.raw is not None:
            return one.raw
    raise PostroomError(f"{mail} holds no message that can be read")


def _read_data(file: Path, entry: Entry) -> Mapping[str, Any]:
    if file.stat().st_size > MAX_DATA:
        raise PostroomError(f"{file} has more than {MAX_DATA:,} bytes")
    try:
        text = file.read_text(encoding="utf-8")
        read = json.loads(text) if file.suffix == ".json" else yaml.load(text, Loader=yaml.CSafeLoader)
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        raise PostroomError(f"{file} is neither JSON nor YAML: {error}") from None
    if not isinstance(read, dict):
        raise PostroomError(
            f"{file} holds no map of inputs; {entry.file} takes {', '.join(entry.inputs) or 'none'}"
        )
    for name in read:
        if name not in entry.inputs and name not in GIVEN:
            raise PostroomError(f"{file}: {unknown('input', str(name), entry.inputs.keys() | GIVEN)}")
    return read


def _told(rendered: Rendered) -> dict[str, Any]:
    """What goes into the header, and what goes along."""
    return {
        "subject": rendered.subject,
        "from_name": rendered.from_name,
        "from": rendered.sender,
        "reply_to": ", ".join(address.address for address in rendered.reply_to),
        "headers": dict(rendered.headers),
        "language": rendered.locale,
        "files": [file.name for file in rendered.files if not file.id],
        "files_of_the_message": list(rendered.own),
    }


def _write(out: Path, name: str, rendered: Rendered) -> dict[str, str]:
    """Write both parts; images stand in the HTML itself, for a browser to show."""
    html = rendered.html
    for file in rendered.files:
        if file.id:
            inside = f"data:{file.type};base64,{base64.b64encode(file.content).decode()}"
            html = html.replace(f"cid:{file.id}", inside)
    paths = {"html": out / f"{name}.html", "text": out / f"{name}.txt"}
    paths["html"].parent.mkdir(parents=True, exist_ok=True)
    paths["html"].write_text(html, encoding="utf-8", errors="replace")
    paths["text"].write_text(rendered.text, encoding="utf-8", errors="replace")
    return {key: str(path) for key, path in paths.items()}
