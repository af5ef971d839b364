"""A provider over a sandbox in process, with the sandbox's own controls at hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx
from starlette.applications import Starlette

from engine.flow.ports import HistoryPage, Provider, TokenCache
from engine.net.client import HttpClient
from engine.providers.zoom_mail import zoom_mail
from engine.sandbox.app import create_app
from engine.sandbox.config import SandboxConfig
from tests.providers.asgi import AsgiWire
from tests.providers.fakes import MemoryBudget, MemoryTokens

BOX, OTHER = "support@acme.example", "sales+eu@acme.example"
URL = "http://sandbox.test"

RAW = (
    b"From: Ann <ann@partner.example>\r\nTo: support@acme.example\r\nSubject: Order 48211\r\n"
    b"Message-ID: <order@partner.example>\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
    b"--b\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\r\nGr\xfc\xdfe\r\n"
    b"--b\r\nContent-Type: application/pdf\r\n"
    b"Content-Disposition: attachment; filename*=utf-8''a%C3%A9.pdf\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\nJVBERi0xLjQKJcOkw7zDtsOfCg==\r\n--b--\r\n"
)


def outgoing(message_id: str = "<ours-1@acme.example>", to: str = "ann@partner.example") -> bytes:
    text = f"From: {BOX}\r\nTo: {to}\r\nSubject: Re: Order\r\nMessage-ID: {message_id}\r\n\r\nThanks.\r\n"
    return text.encode()


@dataclass
class Bench:
    """A provider, the sandbox behind it, and a way to the sandbox's own controls."""

    app: Starlette
    provider: Provider
    control: httpx.AsyncClient
    budget: MemoryBudget

    async def do(self, name: str, body: Any = None, **query: str) -> Any:
        sent = {"content": body} if isinstance(body, bytes) else {"json": body}
        answer = await self.control.post(f"/_sandbox/{name}?{urlencode(query)}", **sent)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def deliver(self, raw: bytes = RAW, mailbox: str = BOX, **query: str) -> str:
        key: str = (await self.do("deliver", raw, mailbox=mailbox, **query))["id"]
        return key

    async def labels(self, key: str, mailbox: str = BOX) -> set[str]:
        state = (await self.control.get("/_sandbox/state", params={"mailbox": mailbox})).json()
        return next(set(message["labels"]) for message in state["messages"] if message["id"] == key)

    async def calls(self) -> dict[str, int]:
        counts: dict[str, int] = (await self.control.get("/_sandbox/calls")).json()["operations"]
        return counts

    async def since(self, cursor: int, mailbox: str = BOX) -> HistoryPage:
        return await self.provider.history(mailbox, cursor)


def make_bench(config: SandboxConfig, secret: str = "sandbox") -> Bench:
    app = create_app(config)
    budget = MemoryBudget()
    provider = make_provider(app, MemoryTokens(), secret=secret, budget=budget)
    return Bench(app, provider, httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=URL), budget)


def make_provider(
    app: Starlette,
    tokens: TokenCache,
    *,
    account: str = "sandbox",
    secret: str = "sandbox",
    budget: MemoryBudget | None = None,
) -> Provider:
    """Make a provider of the account, or of one user if `account` is empty."""
    return zoom_mail(
        account_id=account,
        client_id="sandbox",
        client_secret=secret,
        budget=budget or MemoryBudget(),
        tokens=tokens,
        url=URL,
        http=HttpClient(wire=AsgiWire(app)),
    )
