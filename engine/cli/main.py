"""`postroom COMMAND`. Exit codes: 0 done, 1 findings, 2 usage or configuration, 3 a defect of ours."""

from __future__ import annotations

import gc
import importlib
import sys
import traceback
from difflib import get_close_matches

import click

from engine import __version__
from engine.errors import PostroomError

COMMANDS = {
    "demo": "engine.cli.demo:demo",
    "up": "engine.cli.serve:up",
    "web": "engine.cli.serve:web",
    "worker": "engine.cli.serve:worker",
    "check": "engine.cli.check:check",
    "test": "engine.cli.test:test",
    "evaluate": "engine.cli.evaluate:evaluate",
    "backtest": "engine.cli.backtest:backtest",
    "apply": "engine.cli.apply:apply",
    "explain": "engine.cli.explain:explain",
    "preview": "engine.cli.preview:preview",
    "record": "engine.cli.record:record",
    "import": "engine.cli.import_:import_",
    "schema": "engine.cli.schema:schema",
    "list": "engine.cli.list_:list_",
    "docs": "engine.cli.docs:docs",
    "sandbox": "engine.cli.sandbox:sandbox",
    "send": "engine.cli.send:send",
    "runs": "engine.cli.journal:runs",
    "dead": "engine.cli.journal:dead",
    "replay": "engine.cli.journal:replay",
    "promote": "engine.cli.promote:promote",
    "undo": "engine.cli.undo:undo",
    "suppressed": "engine.cli.suppressed:suppressed",
    "approvals": "engine.cli.approvals:approvals",
    "timers": "engine.cli.timers:timers",
    "audit": "engine.cli.audit:audit",
    "backup": "engine.cli.backup:backup",
    "restore": "engine.cli.backup:restore",
    "recover": "engine.cli.recover:recover",
    "migrate": "engine.cli.migrate:migrate",
    "pause": "engine.cli.pause:pause",
    "resume": "engine.cli.pause:resume",
    "status": "engine.cli.status:status",
}
"""Loaded when called: a command pays for its own imports alone."""


class Commands(click.Group):
    """All commands, each imported when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        # What is imported stays: searching it for garbage time and again is a sixth of what a start costs.
        was_on = gc.isenabled()
        gc.disable()
        try:
            command: click.Command = getattr(importlib.import_module(module), name)
        finally:
            if was_on:
                gc.enable()
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in COMMANDS and (near := get_close_matches(args[0], COMMANDS, n=1)):
            ctx.fail(f"No such command '{args[0]}'. Did you mean '{near[0]}'?")
        return super().resolve_command(ctx, args)


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="postroom")
def main() -> None:
    """Postroom: a self-hosted rules engine for mailboxes."""


def run() -> None:
    """Run the command line; a foreseen error is one line, a defect a report."""
    try:
        sys.exit(main.main(standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except click.Abort:
        sys.exit(130)
    except PostroomError as error:
        click.echo(f"postroom: {error}", err=True)
        sys.exit(2)
    except Exception:  # noqa: BLE001 - whatever we did not foresee is a defect of ours
        click.echo(f"postroom {__version__}: this is a defect. Please report it with:", err=True)
        click.echo(traceback.format_exc(), err=True)
        sys.exit(3)
