"""`demo`: the main job at work, with nothing configured."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.live import Live

from engine.cli.audit import as_text, audit_mailbox
from engine.cli.progress import Progress, caught_up, measure
from engine.cli.serve import stopping
from engine.cli.stage import Play, Stage, staged, until
from engine.cli.table import progress_table, summary
from engine.errors import PostroomError
from engine.flow.approvals import Letter
from engine.flow.audit import Report
from engine.mail.address import parse_addresses
from engine.mail.archive import read_archive
from engine.mail.headers import parse_headers
from engine.sandbox.samples import sample_messages
from engine.store.approvals import RedisApprovals
from engine.wiring import Office, open_office

SUPPORT, SALES = "support@acme.example", "sales@acme.example"
POLL_EVERY = "10s"
PAUSE_S = 0.02
LOOK_EVERY_S = 0.5
STILL_S = 300.0
"""How long nothing at all may move before the demo gives up."""


@click.command()
@click.option("--exit", "leave", is_flag=True, help="End with a summary once every message is accounted for.")
@click.option(
    "--mail",
    type=click.Path(exists=True, path_type=Path),
    help="Your own .eml, folder, zip, mbox or Maildir.",
)
def demo(leave: bool, mail: Path | None) -> None:
    """Deliver sample mail to two mailboxes and watch the example rules at work."""
    raise SystemExit(asyncio.run(_demo(leave, mail)))


async def _demo(leave: bool, mail: Path | None) -> int:
    examples = example_folder()
    play = Play({SUPPORT: POLL_EVERY, SALES: POLL_EVERY}, examples / "rules", examples / "templates")
    console = Console()
    with tempfile.TemporaryDirectory(prefix="postroom-demo-") as folder:
        async with (
            stopping() as stop,
            staged(play, Path(folder)) as stage,
            open_office(stage.settings) as office,
        ):
            await until(lambda: _started(office), 30, "no cursor was stored")
            console.print(f"Postroom is up: it takes webhooks at {stage.web_url}", highlight=False)
            console.print(f"and works on the mail service at {stage.sandbox.base_url}", highlight=False)
            return await _show(console, stage, office, stop, mail, leave)


def example_folder() -> Path:
    """Where rules/ and templates/ lie: in the installed package, or at the top of the checkout."""
    package = Path(__file__).resolve().parent.parent
    packed = package / "examples"
    return packed if packed.exists() else package.parent


async def _started(office: Office) -> bool:
    return all([await office.mailboxes.cursor(mailbox) for mailbox in office.settings.mailboxes])


async def _show(
    console: Console, stage: Stage, office: Office, stop: asyncio.Event, mail: Path | None, leave: bool
) -> int:
    delivery = Delivery(stage)
    delivering = asyncio.create_task(delivery.run(mail))
    try:
        await _watch(console, stage, office, delivery, delivering, stop, leave)
    finally:
        delivering.cancel()
        await asyncio.gather(delivering, return_exceptions=True)
    if stop.is_set() and not leave:
        return 0
    reports = [await audit_mailbox(office, mailbox) for mailbox in office.settings.mailboxes]
    progress = await measure(office, delivery.count, await stage.control("GET", "calls"))
    return _conclude(console, progress, reports, delivery, await RedisApprovals(office.base).waiting())


class Delivery:
    """Delivers mail while the rest runs."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.count = 0
        self.errors: list[str] = []

    async def run(self, mail: Path | None) -> None:
        for name, raw, error in _mail(mail):
            if error:
                self.errors.append(f"{name}: {error}")
                continue
            for mailbox in addressees(raw):
                await self._stage.deliver(mailbox, raw)
                self.count += 1
            await asyncio.sleep(PAUSE_S)


def _mail(mail: Path | None) -> Iterator[tuple[str, bytes, str]]:
    if mail is None:
        yield from ((name, raw, "") for name, raw in sample_messages())
    else:
        yield from ((item.name, item.raw, item.error) for item in read_archive(mail))


def addressees(raw: bytes) -> list[str]:
    """Which of the two mailboxes a message arrives in: those that it is written to, else support."""
    headers = parse_headers(raw)
    fields = [*headers.all("To"), *headers.all("Cc"), *headers.all("Delivered-To")]
    written_to = {address.normal for address in parse_addresses(fields)}
    return [mailbox for mailbox in (SUPPORT, SALES) if mailbox in written_to] or [SUPPORT]


async def _watch(
    console: Console,
    stage: Stage,
    office: Office,
    delivery: Delivery,
    delivering: asyncio.Task[None],
    stop: asyncio.Event,
    leave: bool,
) -> None:
    """Show how it goes until all is done (or, without `leave`, until somebody ends it)."""
    live = Live(console=console, refresh_per_second=4, transient=leave)
    shown = live if console.is_terminal else contextlib.nullcontext()
    loop = asyncio.get_running_loop()
    last, moved = Progress(), loop.time()
    with shown as screen:
        while not stop.is_set():
            progress = await measure(office, delivery.count, await stage.control("GET", "calls"))
            if screen:
                screen.update(progress_table(progress))
            if leave and delivering.done() and progress.quiet and await caught_up(office):
                delivering.result()
                return
            if progress != last:
                last, moved = progress, loop.time()
            if leave and loop.time() - moved > STILL_S:
                raise PostroomError("nothing has moved for five minutes")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_EVERY_S)


def _conclude(
    console: Console,
    progress: Progress,
    reports: list[Report],
    delivery: Delivery,
    asked: Sequence[Letter],
) -> int:
    console.print(summary(progress))
    for error in delivery.errors:
        console.print(f"not delivered: {error}", markup=False)
    for report in reports:
        console.print(as_text(report), markup=False, highlight=False)
    for letter in asked:
        text = f"waits for approval: {letter.about.subject}, to {', '.join(letter.about.to)}"
        console.print(text, markup=False, highlight=False)
    waiting = Counter(letter.about.mailbox for letter in asked)
    accounted_for = all(
        report.accounted_for and report.counts["pending"] <= waiting[report.mailbox] for report in reports
    )
    good = accounted_for and not delivery.errors
    console.print("Every message is accounted for." if good else "Not every message is accounted for.")
    return 0 if good else 1
