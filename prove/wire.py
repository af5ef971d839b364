"""HTTP/1.1 by hand: what no client library would send, and how long the answer takes."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass

from engine.sandbox.webhooks import sign

PATIENCE_S = 20.0
PIECE = 65_536
Headers = tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """The status, 0 when the connection ended without one; the rest as text; seconds until it was there."""

    status: int
    text: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Request:
    """One request as bytes: its head, and its body in pieces."""

    head: bytes
    pieces: tuple[bytes, ...] = ()
    repeat: int = 1
    """How often the pieces are sent; the server may answer before the last one."""
    pause: float = 0.0
    """Seconds between pieces."""

    def parts(self) -> Iterator[bytes]:
        for _ in range(self.repeat):
            yield from self.pieces


def post(
    path: str, body: bytes, headers: Headers, *, method: str = "POST", length: int | None = None
) -> Request:
    """A request with a Content-Length; `length` lies about it."""
    told = ("content-length", str(len(body) if length is None else length).encode())
    return Request(head(method, path, (*headers, told)), (body,) if body else ())


def head(method: str, path: str, headers: Headers) -> bytes:
    lines = [f"{method} {path} HTTP/1.1".encode(), b"host: postroom", b"connection: close"]
    lines += [name.encode() + b": " + value for name, value in headers]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def chunk(data: bytes) -> bytes:
    """One chunk of a chunked body (RFC 9112, section 7.1)."""
    return b"%x\r\n%s\r\n" % (len(data), data)


def signed(secret: str, body: bytes, at: float | None = None) -> Headers:
    """The headers of a true webhook."""
    stamp = f"{time.time() if at is None else at:.0f}"
    return (
        ("content-type", b"application/json"),
        ("x-zm-request-timestamp", stamp.encode()),
        ("x-zm-signature", sign(secret, stamp, body).encode()),
    )


async def send(port: int, request: Request) -> Answer:
    """Send over a connection of its own and wait for the answer, which may come before all is sent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    began = time.perf_counter()
    sending = asyncio.create_task(_write(writer, request))
    text, first = b"", 0.0
    with contextlib.suppress(ConnectionError, TimeoutError):
        async with asyncio.timeout(PATIENCE_S):
            text = await reader.readuntil(b"\r\n\r\n")
            first = time.perf_counter() - began
            text += await reader.read()
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    writer.close()
    return Answer(_status(text), text.decode("latin-1"), first or time.perf_counter() - began)


async def _write(writer: asyncio.StreamWriter, request: Request) -> None:
    with contextlib.suppress(ConnectionError):
        writer.write(request.head)
        for piece in request.parts():
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(request.pause)


def _status(text: bytes) -> int:
    words = text.split(b" ", 2)
    return int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
