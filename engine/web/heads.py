"""Bounds for what stands around a request's body: uvicorn lets headers grow and drip without end."""

from __future__ import annotations

import asyncio
import sys

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from engine.web.bodies import WHOLE

MAX_HEAD = 65_536
"""Bytes beside the body: request line, headers, chunk sizes, trailers."""
HEAD_WITHIN_S = 10.0
MAX_PIPELINED = 100
"""Requests behind the one at hand: uvicorn keeps as many as come, thousands in each piece that it reads."""
TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class BoundedProtocol(HttpToolsProtocol):
    """Hangs up on whose head is too large (RFC 6585, section 5) or comes too slowly, and on a flood."""

    _beside = 0
    _head_by: float | None = None
    """Until when the head at hand has to be there; None while there is none to wait for."""
    _look: asyncio.TimerHandle | None = None
    _data = b""
    """The piece at hand."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._look is not None:
            self._look.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        self._beside += len(data)
        self._data = data
        super().data_received(data)
        if self._beside > MAX_HEAD:
            self.transport.write(TOO_LARGE)
            self.transport.close()

    def on_message_begin(self) -> None:
        if len(self.pipeline) >= MAX_PIPELINED:
            # Ends the parsing: uvicorn answers 400 and hangs up.
            raise ValueError("too many requests come before the first is answered")
        self._wait_for_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._head_by = None
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._beside -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._beside = 0
        self.scope["state"][WHOLE] = True
        super().on_message_complete()

    def on_response_complete(self) -> None:
        busy = bool(self.pipeline)
        super().on_response_complete()
        # What still drips in, be it the rest of a body, would put off uvicorn's own patience for ever.
        if not busy and not self.transport.is_closing():
            self._wait_for_head()

    def _should_upgrade(self) -> bool:
        return self._get_upgrade() is not None

    def handle_websocket_upgrade(self) -> None:
        """Go on as if no other protocol had been asked for (RFC 9110, section 7.8), as Java's client does.

        The parser takes what follows such a head for that protocol, and would lose the body.
        """
        stopped = sys.exception()
        rest = self._data[stopped.args[0] :] if stopped else b""
        lines = [
            b"%s %s HTTP/%s" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())
        ]
        lines += [b"%s: %s" % header for header in self.headers if header[0] != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        self._data = b"\r\n".join([*lines, b"", rest])
        super().data_received(self._data)

    def _wait_for_head(self) -> None:
        self._head_by = self.loop.time() + HEAD_WITHIN_S
        if self._look is None:
            self._look_again()

    def _look_again(self) -> None:
        """Look when the time is up: a timer for each head, set and put off, costs as much as reading it."""
        self._look, by = None, self._head_by
        if by is None:
            return
        if by <= self.loop.time():
            self.transport.close()
        else:
            self._look = self.loop.call_at(by, self._look_again)
