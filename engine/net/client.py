"""The one HTTP client: httpx's requests and answers over aiohttp's transport, bounded in time and size.

The transport is called without `httpx.AsyncClient` around it: cookies, redirects and hooks are not wanted
here, and took as much time as the call itself (bench/transport.py).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from engine import __version__
from engine.deadline import check_deadline
from engine.net.failures import Answer, AnswerTooLarge, Call, to_error
from engine.net.redaction import redact

USER_AGENT = f"postroom/{__version__}"
MAX_CONNECTIONS = 100
KEEPALIVE_S = 4.0
"""Shorter than the five seconds after which many servers hang up, so that no send meets that moment."""
MAX_ANSWER_BYTES = 64 * 1024 * 1024

_HEADERS = {"User-Agent": USER_AGENT, "Accept-Encoding": "gzip, deflate"}
_FAILURES = (
    httpx.HTTPError,
    httpx.InvalidURL,
    httpx.CookieConflict,
    httpx.StreamError,
    aiohttp.ClientError,
    TimeoutError,
    OSError,
    UnicodeError,
    AnswerTooLarge,
)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds; `total` covers the whole call, so that a slow drip ends as well."""

    connect: float = 5.0
    read: float = 20.0
    """Of silence in an answer to a call that must not be repeated: it is worth waiting for."""
    again: float = 8.0
    """Of silence in an answer to a call that can be made once more: a lane waits behind it."""
    total: float = 30.0


class HttpClient:
    """One long-lived client per account. Never follows redirects, keeps no cookies."""

    def __init__(
        self,
        *,
        timeouts: Timeouts | None = None,
        max_bytes: int = MAX_ANSWER_BYTES,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._timeouts = timeouts or Timeouts()
        self._max_bytes = max_bytes
        self._secrets: set[str] = set()
        self._clock = clock
        self._transport = transport or _aiohttp_transport()
        self._extensions = {again: {"timeout": _by_kind(self._timeouts, again)} for again in (False, True)}
        self._closed = False

    def hide(self, *secrets: str) -> None:
        """Keep these out of every text that comes from here."""
        self._secrets.update(secrets)

    def reveal(self, *secrets: str) -> None:
        """Forget secrets that are worth nothing any more."""
        self._secrets.difference_update(secrets)

    def redacted(self, text: str) -> str:
        return redact(text, self._secrets)

    async def ask(
        self,
        method: str,
        url: str,
        call: Call,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
    ) -> Answer:
        """Ask once and give the answer, whatever its status. Raises ProviderErrors.

        Nothing is begun after the task's deadline: that raises Unavailable.
        """
        if self._closed:
            raise RuntimeError("the client is closed")
        failure: Exception
        try:
            request = httpx.Request(
                method,
                f"{url}?{urlencode(params)}" if params else url,
                headers=headers,
                json=json,
                data=form,
                extensions=self._extensions[call.idempotent],
            )
            request.headers.encoding = "ascii"  # Else each look at them works it out anew.
            if auth:
                next(httpx.BasicAuth(*auth).auth_flow(request))
            check_deadline()
            async with asyncio.timeout(self._timeouts.total):
                return await self._read(request)
        except _FAILURES as error:
            failure = error
        # Outside the handler: a chained httpx error would carry the request and its credentials.
        raise to_error(failure, call, self._clock(), detail=self.redacted(str(failure)))

    async def aclose(self) -> None:
        self._closed = True
        await self._transport.aclose()

    async def _read(self, request: httpx.Request) -> Answer:
        response = await self._transport.handle_async_request(request)
        body = bytearray()
        try:
            async for chunk in _decoded(response):
                body += chunk
                if len(body) > self._max_bytes:
                    raise AnswerTooLarge(f"more than {self._max_bytes} bytes")
        finally:
            await response.aclose()
        return Answer(response.status_code, response.headers, bytes(body))


def _decoded(response: httpx.Response) -> AsyncIterable[bytes]:
    """Give the body in pieces, its content encoding taken off; most answers have none."""
    stream = response.stream
    codings = response.headers.get_list("content-encoding", split_commas=True)
    if isinstance(stream, httpx.AsyncByteStream) and not codings:
        return stream
    if len(codings) > 1:
        # Each may make a thousand bytes of one before anything is counted; nobody sends that in earnest.
        raise httpx.DecodingError(f"{len(codings)} content encodings, one upon the other")
    return response.aiter_bytes()


def _by_kind(timeouts: Timeouts, again: bool) -> dict[str, float | None]:
    read = min(timeouts.read, timeouts.again) if again else timeouts.read
    return httpx.Timeout(read, connect=timeouts.connect, pool=timeouts.connect).as_dict()


def _aiohttp_transport() -> AiohttpTransport:
    context = httpx.create_ssl_context()

    def session() -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(limit=MAX_CONNECTIONS, keepalive_timeout=KEEPALIVE_S, ssl=context)
        return aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), headers=_HEADERS
        )

    return AiohttpTransport(client=session)
