"""`postroom send`: one templated message, through the guard and the journal."""

from __future__ import annotations

import asyncio
import json
import mimetypes
import secrets
import time
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import click

from engine.cli.journal import as_json
from engine.cli.serve import config as config_option
from engine.errors import PostroomError
from engine.flow.calls import Call, Taken, key_id
from engine.flow.written import load
from engine.mail.bodies import ANY_TYPE, MAX_FILES_SIZE, File, file_name
from engine.mail.events import SEND_LANE
from engine.settings import Settings, load_settings
from engine.store.calls import RedisCalls
from engine.store.shown import tell
from engine.templating.folder import read_folder
from engine.templating.library import Library, load_templates
from engine.web.api import send_call
from engine.web.making import InForce
from engine.wiring import Office, open_office

LOOK_EVERY_S = 0.2
SETTLED = ("done", "dead")


@click.command()
@click.argument("template")
@click.option("--to", "to", multiple=True, required=True, help="Who gets it; may be given several times.")
@click.option("--data", default="{}", help="The template's inputs as JSON, or @FILE.")
@click.option("--attach", multiple=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--mailbox", default="", help="Which mailbox it leaves from, where there are several.")
@click.option("--at", default="", help="When: 08:00 in the mailbox's zone, or 2026-03-10T08:00+01:00.")
@click.option("--key", default="", help="Sends once, however often it is called with the same key.")
@click.option("--wait", default=0.0, metavar="SECONDS", help="Wait so long until it is sent.")
@as_json
@config_option
def send(
    template: str,
    to: tuple[str, ...],
    data: str,
    attach: tuple[Path, ...],
    mailbox: str,
    at: str,
    key: str,
    wait: float,
    as_json: bool,
    config: str | None,
) -> None:
    """Send one message from a template: it is written down here, and a worker sends it.

    Exit code 1 when it needs a person.
    """
    settings = load_settings(config)
    asked = {"template": template, "to": list(to), "with": _data(data)} | ({"at": at} if at else {})
    files = _files(attach)
    digest = _digest(asked, mailbox, files)

    async def write() -> dict[str, Any]:
        async with open_office(settings) as office:
            library = await _templates(office, settings)
            calls = RedisCalls(office.base, office.retention_ms)
            call_id = key_id(SEND_LANE, key, await calls.salt()) if key else secrets.token_hex(16)
            call = send_call(library, tuple(settings.mailboxes), mailbox, asked, files, call_id, digest)
            return await _write(office, calls, call, wait)

    told = asyncio.run(write())
    click.echo(json.dumps(told) if as_json else _line(told))
    raise SystemExit(1 if told["state"] == "dead" else 0)


async def _write(office: Office, calls: RedisCalls, call: Call, wait: float) -> dict[str, Any]:
    taken: Taken = (await calls.take([call], office.clock()))[0]
    if taken.differs:
        raise PostroomError("this key was used for another message: give another message another key")
    end = time.monotonic() + wait
    while True:
        told = await tell(office.journal, calls, taken.id) or {"run": taken.id, "state": "queued"}
        if told["state"] in SETTLED or time.monotonic() >= end:
            return told
        await asyncio.sleep(LOOK_EVERY_S)


async def _templates(office: Office, settings: Settings) -> Library:
    """Those in force; before there are any, those on disk."""
    return await InForce(office.base).templates() or load_templates(read_folder(settings.templates))


def _data(text: str) -> Any:
    try:
        return load(Path(text[1:]).read_text(encoding="utf-8") if text.startswith("@") else text)
    except OSError as error:
        raise click.UsageError(f"--data: {text[1:]} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise click.UsageError('--data is no JSON: write a map such as {"order": "48211"}') from None


def _files(paths: Sequence[Path]) -> tuple[File, ...]:
    if sum(path.stat().st_size for path in paths) > MAX_FILES_SIZE:
        raise click.UsageError(f"--attach: a mail carries at most {MAX_FILES_SIZE:,} bytes of files")
    return tuple(File(file_name(path.name), _type(path), path.read_bytes()) for path in paths)


def _type(path: Path) -> str:
    kind, encoding = mimetypes.guess_type(path.name)
    return kind if kind and not encoding else ANY_TYPE


def _digest(asked: dict[str, Any], mailbox: str, files: Sequence[File]) -> str:
    told = [asked, mailbox, [(one.name, sha256(one.content).hexdigest()) for one in files]]
    return sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _line(told: dict[str, Any]) -> str:
    receipts = [step["receipt"] for run in told.get("runs", [told]) for step in run.get("steps", ())]
    held = [receipt["why"] for receipt in receipts if receipt.get("outcome") == "held"]
    left_out = [f"left out {receipt['left_out']}" for receipt in receipts if receipt.get("left_out")]
    state = "held" if held else told["state"]
    why = told.get("why") or "; ".join(held or left_out)
    return f"{told['run']}  {state}{f': {why}' if why else ''}"
