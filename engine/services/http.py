"""Calls to other systems: signed, keyed, never redirected, and into no private network unless allowed."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import aiohttp

from engine.errors import Rejected, Unavailable
from engine.net.client import HttpClient
from engine.net.failures import Call, to_error
from engine.net.public import PublicResolver, check_host
from engine.net.wire import AiohttpWire, Timeouts

MAX_ANSWER = 1_000_000
TIMEOUTS = Timeouts(connect=5.0, read=15.0, again=15.0, total=18.0)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address of another system."""

    url: str = field(repr=False)
    method: str = "POST"
    secret: str = field(default="", repr=False)
    bearer: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    keyed: bool = False
    private: bool = False

    @property
    def repeatable(self) -> bool:
        """Whether two calls do no more than one (RFC 9110, section 9.2.2, or by the key)."""
        return self.keyed or self.method == "PUT"


class HttpEndpoints:
    """The Endpoints port over HTTP."""

    def __init__(self, endpoints: Mapping[str, Endpoint], clock: Callable[[], float] = time.time) -> None:
        self._endpoints, self._clock = endpoints, clock
        self._clients: dict[str, HttpClient] = {}

    def heeds_keys(self, endpoint: str) -> bool:
        return endpoint in self._endpoints and self._endpoints[endpoint].repeatable

    async def call(self, endpoint: str, body: bytes, key: str) -> tuple[int, bytes]:
        if endpoint not in self._endpoints:
            raise Rejected(f"there is no endpoint '{endpoint}' in the configuration any more")
        to, client = self._endpoints[endpoint], self._client(endpoint)
        taken = Unavailable if to.keyed else Rejected
        asked = Call(f"the call of {endpoint}", idempotent=to.repeatable, taken=taken)
        if not to.private:
            _check(to.url, asked, self._clock())
        headers = self._headers(to, body, key)
        answer = await client.ask(to.method, to.url, asked, headers=headers, raw=body)
        if not answer.ok:
            raise to_error(answer, asked, self._clock())
        return answer.status, answer.body

    async def aclose(self) -> None:
        for client in self._clients.values():
            await client.aclose()

    def _client(self, endpoint: str) -> HttpClient:
        if endpoint not in self._clients:
            to = self._endpoints[endpoint]
            resolver = None if to.private else PublicResolver
            client = HttpClient(wire=AiohttpWire(TIMEOUTS, MAX_ANSWER, resolver))
            client.hide(
                *(secret for secret in (to.secret, to.bearer, to.url, *to.headers.values()) if secret)
            )
            self._clients[endpoint] = client
        return self._clients[endpoint]

    def _headers(self, to: Endpoint, body: bytes, key: str) -> dict[str, str]:
        headers = dict(to.headers) | {"Idempotency-Key": key}
        if to.bearer:
            headers["Authorization"] = f"Bearer {to.bearer}"
        if to.secret:
            headers["Postroom-Signature"] = signature(to.secret, body, int(self._clock()))
        return headers


def signature(secret: str, body: bytes, now: int) -> str:
    """Sign a call: `t=SECONDS,v1=HEX`, HMAC-SHA256 of the time, a dot and the body's bytes."""
    signed = hmac.new(secret.encode(), f"{now}.".encode() + body, hashlib.sha256)
    return f"t={now},v1={signed.hexdigest()}"


def _check(url: str, asked: Call, now: float) -> None:
    try:
        check_host(urlsplit(url).hostname or "")
    except aiohttp.InvalidURL as refused:
        failure = refused
    else:
        return
    raise to_error(failure, asked, now)
