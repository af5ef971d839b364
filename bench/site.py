"""A whole Postroom to measure: real processes, the sandbox over HTTP, no rate limits, no polling."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from bench.expected import RULES, TEMPLATES
from bench.mail import write_archive
from engine.cli.stage import Play, Stage, staged, until
from engine.sandbox.webhooks import sign
from engine.wiring import Office, open_office

LOOK_EVERY_S = 0.01
PATIENCE_S = 120.0


@dataclass(frozen=True, slots=True)
class Site:
    """The processes, and everything that one of them works with, to look at from outside."""

    stage: Stage
    office: Office

    async def load(self, mailbox: str, raws: Sequence[bytes]) -> None:
        """Deliver all at once; nobody is told."""
        path = write_archive(raws, self.stage.folder / f"{mailbox}.zip")
        loaded = await self.stage.control("POST", "load", json={"mailbox": mailbox, "path": str(path)})
        assert loaded["loaded"] == len(raws), loaded

    async def ring(self, mailbox: str) -> None:
        """Send the webhook that says that a mailbox has changed."""
        await ring(self.stage.sandbox, self.hook, self.secret, mailbox)

    async def quiet(self, mailbox: str, judged: int) -> float:
        """Wait until so many messages are judged and nothing is left to do; tells the moment."""
        end = time.monotonic() + PATIENCE_S
        while await self._left(mailbox, judged):
            if time.monotonic() > end:
                raise TimeoutError(f"{mailbox} did not come to rest")
            await asyncio.sleep(LOOK_EVERY_S)
        return time.perf_counter()

    async def calls(self) -> Counter[str]:
        """How often each operation was called so far."""
        return Counter((await self.stage.control("GET", "calls"))["operations"])

    @property
    def hook(self) -> str:
        return f"{self.stage.web_url}/hooks/zoom/sandbox"

    @property
    def secret(self) -> str:
        secret = self.stage.settings.accounts["sandbox"].webhook_secret
        assert secret is not None
        return secret

    async def _left(self, mailbox: str, judged: int) -> bool:
        redis, key = self.office.base.redis, self.office.base.key
        if await redis.hlen(key("judged", mailbox)) < judged:
            return True  # One question: who watches shares the processor with what is measured.
        async with redis.pipeline(transaction=False) as pipe:
            pipe.xlen(key("events", mailbox))
            pipe.hlen(key("waiting", mailbox))
            pipe.llen(key("groups", mailbox))
            pipe.zcard(key("due"))
            pipe.hget(key("wanted"), mailbox)
            pipe.hget(key("heard"), mailbox)
            *left, rings, heard = await pipe.execute()
        return any(left) or int(rings or 0) != int(heard or 0)


async def ring(client: httpx.AsyncClient, hook: str, secret: str, mailbox: str) -> None:
    """Post one signed webhook and wait for its answer."""
    now = str(int(time.time()))
    event = {"event": "mail.history_event", "payload": {"object": {"email": mailbox, "history_id": 1}}}
    body = json.dumps(event).encode()
    headers = {"x-zm-request-timestamp": now, "x-zm-signature": sign(secret, now, body)}
    (await client.post(hook, content=body, headers=headers)).raise_for_status()


@contextlib.asynccontextmanager
async def site(folder: Path, mailboxes: Sequence[str]) -> AsyncIterator[Site]:
    """Bring everything up and wait until every mailbox is in service."""
    play = Play(dict.fromkeys(mailboxes, "off"), RULES, TEMPLATES, webhooks=False, limits=False)
    async with staged(play, folder) as stage, open_office(stage.settings) as office:

        async def in_service() -> bool:
            return all([await office.mailboxes.cursor(mailbox) for mailbox in mailboxes])

        await until(in_service, 30, "the mailboxes did not come into service")
        yield Site(stage, office)
