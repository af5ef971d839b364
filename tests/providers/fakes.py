"""A scripted Zoom Mail, and the ports it needs, in memory."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from engine.flow.ports import Ask, Token
from engine.net.client import HttpClient
from engine.providers.zoom_mail.caller import Caller
from engine.providers.zoom_mail.client import ZoomMailClient
from engine.providers.zoom_mail.labelling import Labeller
from engine.providers.zoom_mail.labels import LabelBooks
from engine.providers.zoom_mail.oauth import Credentials, Tokens
from engine.providers.zoom_mail.provider import ZoomMail
from tests.providers.asgi import AsgiWire

BOX = "support@acme.example"
ROOT = f"/v2/emails/mailboxes/{BOX}"
SECRET = "client-" + "s3cret"
URL = "http://zoom.test"
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


class MemoryTokens:
    """A TokenCache for one process."""

    def __init__(self, refresh: str = "") -> None:
        self.token: Token | None = None
        self.refresh = refresh

    async def load(self) -> Token | None:
        return self.token

    async def renew(self, ask: Ask, stale: Token | None) -> Token:
        if self.token is None or self.token == stale:
            self.token = await ask(self.refresh)
            self.refresh = self.token.refresh
        return self.token

    async def aclose(self) -> None:
        return None


@dataclass
class MemoryBudget:
    """A RateBudget that answers `waits`, then grants everything, and remembers what it was asked."""

    waits: list[float] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    paused: dict[str, float] = field(default_factory=dict)

    async def take(self, rate_class: str, who: str = "") -> float:
        if self.waits and (wait := self.waits.pop(0)) > 0:
            return wait
        self.taken.append(rate_class)
        return 0.0

    async def pause(self, rate_class: str, until: float) -> None:
        self.paused[rate_class] = until


@dataclass(frozen=True)
class Asked:
    """One request that arrived."""

    method: str
    path: str
    raw_path: bytes
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Said = Response | Exception | Mapping[str, Any] | int
"""An answer: whole, a failure on the way, a JSON body with 200, or a bare status."""


@dataclass
class Script:
    """An ASGI app that answers each path from its list; the last answer is repeated."""

    answers: dict[str, list[Said]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def __post_init__(self) -> None:
        granted = {"access_token": "token-1", "expires_in": 3600, "api_url": "https://api.zoom.us"}
        self.answers.setdefault("POST /oauth/token", [granted])

    def on(self, what: str, *answers: Said) -> Script:
        """Answer `METHOD path` (below the mailbox) in turn."""
        method, _, path = what.partition(" ")
        self.answers[f"{method} {path if path.startswith('/') else f'{ROOT}/{path}'}"] = list(answers)
        return self

    def calls(self, what: str) -> list[Asked]:
        """The requests of `METHOD path`, in order."""
        method, _, path = what.partition(" ")
        path = path if path.startswith("/") else f"{ROOT}/{path}"
        return [asked for asked in self.asked if (asked.method, asked.path) == (method, path)]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        asked = Asked(
            request.method,
            scope["path"],
            scope["raw_path"],
            request.query_params,
            request.headers,
            await request.body(),
        )
        self.asked.append(asked)
        left = self.answers.get(f"{asked.method} {asked.path}", [404])
        said = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(said, Exception):
            raise said
        await _response(said)(scope, receive, send)


def _response(said: Response | Mapping[str, Any] | int) -> Response:
    if isinstance(said, Response):
        return said
    if isinstance(said, int):
        return refusal(said)
    return Response(json.dumps(said), media_type="application/json")


def refusal(status: int, code: int = 0, message: str = "No.", **headers: str) -> Response:
    """An error as Zoom shapes it."""
    body = json.dumps({"code": code or status, "message": message})
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(body, status, headers={"x-zm-trackingid": "v=2.0;rid=t1", **named})


@dataclass
class Clock:
    """Time that a test sets; sleeping moves it and is written down."""

    now: float = field(default_factory=time.time)
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@dataclass
class Desk:
    """A client of Zoom Mail, scripted unless another app is given, with all that a test may look at."""

    script: Script = field(default_factory=Script)
    budget: MemoryBudget = field(default_factory=MemoryBudget)
    tokens: MemoryTokens = field(default_factory=MemoryTokens)
    clock: Clock = field(default_factory=Clock)
    base: str = URL
    app: Any = None

    def __post_init__(self) -> None:
        http = HttpClient(wire=AsgiWire(self.app or self.script), clock=self.clock)
        credentials = Credentials("account", "client", SECRET, f"{URL}/oauth/token", self.base)
        tokens = Tokens(http, credentials, self.tokens, self.clock)
        caller = Caller(http, tokens, self.budget, clock=self.clock, sleep=self.clock.sleep)
        self.client = ZoomMailClient(caller)
        self.books = LabelBooks(self.client, self.clock)
        self.provider = ZoomMail(self.client, self.books, Labeller(self.client, self.books, self.clock))
