"""Driving a sandbox over HTTP."""

from __future__ import annotations

import base64
from typing import Any

import httpx

from engine.sandbox.app import create_app
from engine.sandbox.config import SandboxConfig
from engine.sandbox.state import Sandbox
from engine.sandbox.tokens import issue_token
from tests.sandbox.contract import hold

ANN = "ann@acme.example"
BOB = "bob@acme.example"

Json = dict[str, Any]


class Driver:
    """One sandbox, its HTTP client, and short words for the calls that tests make again and again."""

    def __init__(
        self, config: SandboxConfig, webhook_transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self.app = create_app(config, webhook_transport=webhook_transport)
        self.sandbox: Sandbox = self.app.state.sandbox
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app),
            base_url="http://sandbox",
            headers={"Authorization": f"Bearer {issue_token(self.sandbox.store)}"},
            event_hooks={"response": [hold]},
        )

    def close(self) -> None:
        self.sandbox.store.db.close()

    async def call(self, method: str, path: str, mailbox: str = ANN, **options: Any) -> httpx.Response:
        return await self.http.request(method, f"/v2/emails/mailboxes/{mailbox}{path}", **options)

    async def get(self, path: str, mailbox: str = ANN, **params: Any) -> Json:
        response = await self.call("GET", path, mailbox, params=params)
        assert response.status_code == 200, response.text
        return dict(response.json())

    async def post(self, path: str, body: Json | None = None, mailbox: str = ANN, **params: Any) -> Json:
        response = await self.call("POST", path, mailbox, json=body, params=params)
        assert response.is_success, response.text
        return dict(response.json()) if response.content else {}

    async def control(self, path: str, body: Any = None) -> Json:
        response = await self.http.post(f"/_sandbox/{path}", json=body)
        assert response.status_code == 200, response.text
        return dict(response.json())

    async def look(self, path: str, **params: Any) -> Json:
        response = await self.http.get(f"/_sandbox/{path}", params=params)
        assert response.status_code == 200, response.text
        return dict(response.json())

    async def deliver(self, raw: bytes, mailbox: str = ANN, **params: str) -> str:
        response = await self.http.post(
            "/_sandbox/deliver", content=raw, params={"mailbox": mailbox, **params}
        )
        assert response.status_code == 200, response.text
        return str(response.json()["id"])

    async def labels(self, id_: str, mailbox: str = ANN) -> set[str]:
        return set((await self.get(f"/messages/{id_}", mailbox, format="minimal"))["labelIds"])

    async def cursor(self, mailbox: str = ANN) -> str:
        return str((await self.get("/profile", mailbox))["historyId"])

    async def history(self, start: str, mailbox: str = ANN, **params: Any) -> list[Json]:
        return list((await self.get("/history", mailbox, startHistoryId=start, **params))["history"])


def drive(webhook_transport: httpx.AsyncBaseTransport | None = None, **config: Any) -> Driver:
    """Start a sandbox with the mailboxes ANN and BOB."""
    return Driver(SandboxConfig(mailboxes=(ANN, BOB), **config), webhook_transport)


def mail(
    subject: str = "Hello",
    body: str = "Good morning.\r\n",
    *,
    sender: str = "zoe@partner.example",
    to: str = ANN,
    message_id: str = "",
    **headers: str,
) -> bytes:
    """A small message; `headers` are further fields, with `_` for `-`."""
    fields = {"From": sender, "To": to, "Subject": subject}
    if message_id:
        fields["Message-ID"] = message_id
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    return ("".join(f"{name}: {value}\r\n" for name, value in fields.items()) + f"\r\n{body}").encode()


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode()


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text)
