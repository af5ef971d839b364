"""`postroom sandbox`: the local mail service alone."""

from __future__ import annotations

import click

from engine.cli.words import many
from engine.sandbox.config import SandboxConfig
from engine.sandbox.loading import Loaded
from engine.sandbox.serve import serve

DEFAULT_MAILBOX = "support@acme.example"


def _listen(_context: click.Context, _parameter: click.Parameter, value: str) -> tuple[str, int]:
    """Read HOST:PORT; an IPv6 address stands in brackets."""
    host, colon, port = value.rpartition(":")
    if not (colon and host and port.isascii() and port.isdigit() and int(port) < 65536):
        raise click.BadParameter(f"{value} is not HOST:PORT")
    return host.strip("[]"), int(port)


def _delays(_context: click.Context, _parameter: click.Parameter, value: str) -> tuple[float, ...]:
    try:
        return tuple(float(delay) for delay in value.split(",") if delay)
    except ValueError:
        raise click.BadParameter(f"{value} is no list of seconds such as 0.5,1,2") from None


@click.command()
@click.option(
    "--listen",
    metavar="HOST:PORT",
    callback=_listen,
    default="127.0.0.1:8025",
    show_default=True,
    help="Port 0: a free one.",
)
@click.option("--mailbox", "mailboxes", multiple=True, help=f"Repeatable.  [default: {DEFAULT_MAILBOX}]")
@click.option("--webhook", metavar="URL", help="Where mail.history_event goes.")
@click.option("--secret", default="", help="What webhooks are signed with.")
@click.option(
    "--load", "archives", metavar="PATH", multiple=True, help="An .eml, folder, zip, mbox or Maildir."
)
@click.option("--into", metavar="MAILBOX", help="Where --load goes; the first mailbox by default.")
@click.option(
    "--database", metavar="FILE", default=":memory:", help="Keeps the state; an existing one goes on."
)
@click.option(
    "--undo-window",
    metavar="SECONDS",
    type=click.FloatRange(min=0),
    default=0.0,
    show_default=True,
    help="How long a sent message stays SCHEDULED.",
)
@click.option(
    "--history-horizon",
    metavar="RECORDS",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="How many of a mailbox's newest history records can be reached; 0: all.",
)
@click.option("--no-limits", is_flag=True, help="Answer any number of calls.")
@click.option(
    "--retry-delays",
    metavar="SECONDS,...",
    callback=_delays,
    default="300,1200,3600",
    show_default=True,
    help="When a webhook is tried again.",
)
@click.option(
    "--revalidate-every",
    metavar="SECONDS",
    type=click.FloatRange(min=0, min_open=True),
    default=259_200.0,
    show_default=True,
    help="When a webhook's endpoint has to prove itself again.",
)
@click.option("--account-id", default="sandbox", show_default=True)
@click.option("--client-id", default="sandbox", show_default=True)
@click.option("--client-secret", default="sandbox", show_default=True)
def sandbox(
    listen: tuple[str, int],
    mailboxes: tuple[str, ...],
    webhook: str | None,
    secret: str,
    archives: tuple[str, ...],
    into: str | None,
    database: str,
    undo_window: float,
    history_horizon: int,
    no_limits: bool,
    retry_delays: tuple[float, ...],
    revalidate_every: float,
    account_id: str,
    client_id: str,
    client_secret: str,
) -> None:
    """Run a local mail service that speaks Zoom Mail."""
    if webhook and not secret:
        raise click.UsageError("--webhook needs --secret: Zoom signs every webhook.")
    config = SandboxConfig(
        mailboxes=mailboxes or (DEFAULT_MAILBOX,),
        client_id=client_id,
        client_secret=client_secret,
        account_id=account_id,
        webhook_url=webhook,
        webhook_secret=secret,
        limits=not no_limits,
        database=database,
        undo_window=undo_window,
        history_horizon=history_horizon,
        retry_delays=retry_delays,
        revalidate_every=revalidate_every,
    )
    serve(config, *listen, load=archives, into=into, ready=_ready)


def _ready(url: str, loaded: tuple[Loaded, ...]) -> None:
    """Say what was loaded and, last, where the sandbox listens."""
    for one in loaded:
        click.echo(f"loaded {many(one.messages, 'message')}", err=True)
        for error in one.errors:
            click.echo(error, err=True)
    click.echo(f"sandbox listening on {url}")
