"""A configured Postroom over a mail service in memory, with workers in this process."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from engine.settings import load_settings
from engine.wiring import Office, open_office
from engine.worker import run_worker
from tests.flow.fakes import BOX, FakeProvider

SECRET = "client-" + "s3cret"
RULES = """version: 1
rules:
  - {id: answer, when: {subject: {contains: hello}}, then: [label: Seen, reply: hi]}
"""
BROKEN = "version: 1\nrules:\n  - {id: answer, wenn: 1}\n"
TEMPLATE = "---\nsubject: Thank you\n---\nHello.\n"


@dataclass
class Shop:
    """A configured folder, and one mail service for all offices over it."""

    folder: Path
    service: FakeProvider | None = None

    @property
    def config(self) -> Path:
        return self.folder / "postroom.yaml"

    def write_rules(self, text: str) -> None:
        (self.folder / "rules" / "r.yaml").write_text(text)

    @contextlib.asynccontextmanager
    async def office(self) -> AsyncIterator[Office]:
        async with open_office(load_settings(str(self.config))) as office:
            self.service = self.service or FakeProvider(office.clock)
            office._providers["acme"] = self.service
            yield office


def make_shop(folder: Path, redis: str) -> Shop:
    (folder / "rules").mkdir()
    (folder / "templates").mkdir()
    (folder / "templates" / "hi.md").write_text(TEMPLATE)
    (folder / "secret").write_text(SECRET)
    shop = Shop(folder)
    shop.write_rules(RULES)
    shop.config.write_text(
        f"{redis}\n"
        "accounts: {acme: {provider: zoom, account_id: A, client_id: C, client_secret: file:secret,"
        " url: 'http://127.0.0.1:9'}}\n"
        f"mailboxes: {{{BOX}: {{account: acme, poll: off}}}}\n"
        "outbound: {budgets: {exchanges: off}}\n"
    )
    return shop


@contextlib.asynccontextmanager
async def working(*offices: Office) -> AsyncIterator[asyncio.Event]:
    """A worker in each office; on leaving they are asked to stop and come to their end."""
    stop = asyncio.Event()
    workers = [asyncio.create_task(run_worker(office, stop)) for office in offices]
    try:
        yield stop
    finally:
        stop.set()
        await asyncio.wait_for(asyncio.gather(*workers), 30)
