"""How bytes come and go: aiohttp, told to do nothing that is not asked for.

`httpx.AsyncClient` took several times as long for each call, and httpx's requests and answers over
aiohttp's connections twice as long (bench/transport.py).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import aiohttp
import httpx
from aiohttp.abc import AbstractResolver

from engine import __version__
from engine.net.failures import Answer, AnswerTooLarge, BadAnswer

USER_AGENT = f"postroom/{__version__}"
MAX_CONNECTIONS = 100
KEEPALIVE_S = 4.0
"""Shorter than the five seconds after which many servers hang up, so that no send meets that moment."""
MAX_ANSWER_BYTES = 64 * 1024 * 1024

_HEADERS = {"User-Agent": USER_AGENT, "Accept-Encoding": "gzip, deflate"}
_WINDOWS = {
    "gzip": (16 + zlib.MAX_WBITS,),
    "x-gzip": (16 + zlib.MAX_WBITS,),
    # Meant to have zlib's own frame, and often sent bare (RFC 9110, section 8.4.1.2).
    "deflate": (zlib.MAX_WBITS, -zlib.MAX_WBITS),
}


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds; `total` covers the whole call, so that a slow drip ends as well."""

    connect: float = 5.0
    read: float = 20.0
    """Of silence in an answer to a call that must not be repeated: it is worth waiting for."""
    again: float = 8.0
    """Of silence in an answer to a call that can be made once more: a lane waits behind it."""
    total: float = 30.0


@dataclass(frozen=True, slots=True)
class Request:
    """What goes out."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None = None
    again: bool = True
    """Whether it can be made once more."""


class Wire(Protocol):
    """Carries a request and gives the whole answer, whatever its status. Raises what breaks."""

    async def carry(self, request: Request) -> Answer: ...

    async def aclose(self) -> None: ...


class AiohttpWire:
    """Keeps connections to the servers of one account. Never follows redirects, keeps no cookies."""

    def __init__(
        self,
        timeouts: Timeouts,
        max_bytes: int,
        resolver: Callable[[], AbstractResolver] | None = None,
    ) -> None:
        """`resolver` makes what finds addresses for names, the system's own unless given."""
        self._max_bytes, self._resolver = max_bytes, resolver
        self._timeouts = {again: _by_kind(timeouts, again) for again in (False, True)}
        self._context = httpx.create_ssl_context()
        self._session: aiohttp.ClientSession | None = None

    async def carry(self, request: Request) -> Answer:
        session = self._session = self._session or self._open()
        response = await session.request(
            request.method,
            request.url,
            headers=request.headers,
            data=request.body,
            allow_redirects=False,
            auto_decompress=False,
            timeout=self._timeouts[request.again],
        )
        try:
            body = await self._read(response.content)
        except BaseException:
            response.close()  # One that is read to its end has given its connection back.
            raise
        if codings := response.headers.getall("Content-Encoding", ()):
            body = inflated(body, ",".join(codings), self._max_bytes)
        return Answer(response.status, response.headers, body)

    async def aclose(self) -> None:
        if self._session:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit=MAX_CONNECTIONS,
            keepalive_timeout=KEEPALIVE_S,
            ssl=self._context,
            resolver=self._resolver() if self._resolver else None,
        )
        return aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), headers=_HEADERS
        )

    async def _read(self, content: aiohttp.StreamReader) -> bytes:
        pieces, size = [], 0
        while piece := await content.readany():
            pieces.append(piece)
            size += len(piece)
            if size > self._max_bytes:
                raise AnswerTooLarge(f"more than {self._max_bytes} bytes")
        return b"".join(pieces)


def inflated(body: bytes, coding: str, limit: int) -> bytes:
    """Take a content encoding off; one that we did not ask for stays.

    Raises AnswerTooLarge, and BadAnswer for what is broken.
    """
    if "," in coding:
        # Each may make a thousand bytes of one before anything is counted; nobody sends that in earnest.
        raise BadAnswer(f"{coding.count(',') + 1} content encodings, one upon the other")
    windows = _WINDOWS.get(coding.strip().lower(), ())
    for window in windows:
        try:
            whole = zlib.decompressobj(window).decompress(body, limit + 1)
        except zlib.error:
            continue
        if len(whole) > limit:
            raise AnswerTooLarge(f"more than {limit} bytes")
        return whole
    if windows and body:
        raise BadAnswer(f"broken {coding}")
    return body


def _by_kind(timeouts: Timeouts, again: bool) -> aiohttp.ClientTimeout:
    read = min(timeouts.read, timeouts.again) if again else timeouts.read
    return aiohttp.ClientTimeout(
        total=timeouts.total, connect=timeouts.connect, sock_connect=timeouts.connect, sock_read=read
    )
