"""A request's head is bounded in size and time, over a real socket."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from engine.web import heads
from engine.web.bodies import WHOLE
from engine.web.heads import MAX_HEAD, BoundedProtocol
from tests.waiting import wait_for

LINE = b"POST / HTTP/1.1\r\nhost: web.test\r\n"


async def _size(request: Request) -> PlainTextResponse:
    whole = {"x-whole": "yes"} if WHOLE in request.scope["state"] else {}
    return PlainTextResponse(str(len(await request.body())), headers=whole)


@contextlib.asynccontextmanager
async def connected() -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to a server of one endpoint that tells how large the body was."""
    app = Starlette(routes=[Route("/", _size, methods=["POST"])])
    config = uvicorn.Config(
        app, port=0, http=BoundedProtocol, ws="none", log_level="critical", lifespan="off"
    )
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign, assignment]
    serving = asyncio.create_task(server.serve())
    await wait_for(lambda: server.started)
    reader, writer = await asyncio.open_connection(*server.servers[0].sockets[0].getsockname()[:2])
    try:
        yield reader, writer
    finally:
        writer.close()
        server.should_exit = True
        await serving


async def answer_to(sent: bytes) -> bytes:
    """Everything that comes back until the server hangs up."""
    async with connected() as (reader, writer):
        writer.write(sent)
        with contextlib.suppress(ConnectionError):
            return await reader.read()
    return b""


async def test_requests_one_after_another_are_answered() -> None:
    body = b"x" * 3 * MAX_HEAD
    async with connected() as (reader, writer):
        for _ in range(2):
            writer.write(LINE + b"content-length: %d\r\n\r\n" % len(body) + body)
            assert (await reader.readline()).split()[1] == b"200"
            assert (await reader.readuntil(b"%d" % len(body))).endswith(b"%d" % len(body))


HTTP_2 = (
    b"connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAEAAEAAAAIAAAABAAMAAABk\r\n"
)


async def test_a_call_that_asks_for_another_protocol_keeps_its_body() -> None:
    asking = LINE + HTTP_2 + b"content-length: 9\r\n"
    async with connected() as (reader, writer):
        for _ in range(2):
            writer.write(asking + b"\r\nnine byte")
            assert (await reader.readuntil(b"\r\n\r\n9")).split()[1] == b"200"
        writer.write(asking + b"expect: 100-continue\r\n\r\n")
        assert b" 100 " in await reader.readuntil(b"\r\n\r\n")
        writer.write(b"nine byte")
        assert (await reader.readuntil(b"\r\n\r\n9")).split()[1] == b"200"


async def test_many_that_ask_for_another_protocol_at_once_are_answered_or_hung_up_on() -> None:
    asking = LINE + HTTP_2 + b"content-length: 1\r\n\r\nx"
    few, flood = await answer_to(asking * 10), await answer_to(asking * 5_000)
    assert few.count(b"HTTP/1.1 200 ") == 10
    assert flood.count(b"HTTP/1.1 200 ") < 1_000


async def test_only_what_is_there_whole_is_called_whole() -> None:
    async with connected() as (reader, writer):
        writer.write(LINE + b"content-length: 1\r\n\r\nx")
        assert b"x-whole" in await reader.readuntil(b"\r\n\r\n1")
        writer.write(LINE + b"expect: 100-continue\r\ncontent-length: 1\r\n\r\n")
        assert b" 100 " in await reader.readuntil(b"\r\n\r\n")
        writer.write(b"x")
        assert b"x-whole" not in await reader.readuntil(b"\r\n\r\n1")


async def test_few_requests_that_come_at_once_are_answered_and_a_flood_is_not() -> None:
    request = LINE + b"content-length: 0\r\n\r\n"
    few, flood = await answer_to(request * 10), await answer_to(request * 5_000)
    assert few.count(b"HTTP/1.1 200 ") == 10
    assert flood.count(b"HTTP/1.1 200 ") < 1_000


CHUNKED = LINE + b"transfer-encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(LINE + b"x-long: " + b"y" * 2 * MAX_HEAD, id="a header without end"),
        pytest.param(LINE + b"x-short: y\r\n" * MAX_HEAD, id="headers without end"),
        pytest.param(b"POST /" + b"y" * 2 * MAX_HEAD, id="a path without end"),
        pytest.param(CHUNKED + b"0\r\nx-late: " + b"y" * 2 * MAX_HEAD, id="a trailer without end"),
        pytest.param(CHUNKED + b"1;" + b"y" * 2 * MAX_HEAD, id="a chunk's extension without end"),
    ],
)
async def test_what_is_too_large_beside_the_body_is_hung_up_on(sent: bytes) -> None:
    assert b" 200 " not in await answer_to(sent)


async def test_a_head_that_comes_too_slowly_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "HEAD_WITHIN_S", 0.05)
    assert await answer_to(LINE) == b""
    assert await answer_to(b"") == b""


@pytest.mark.parametrize(
    ("sent", "drop"),
    [
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", b"\r\n", id="blank lines before the next head"),
        pytest.param(b"GET / HTTP/1.1\r\ncontent-length: 99999\r\n\r\n", b"x", id="a body nobody asked for"),
        pytest.param(
            b"GET / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n", b"1\r\nx\r\n", id="chunks without end"
        ),
    ],
)
async def test_what_drips_in_after_the_answer_keeps_no_connection(
    sent: bytes, drop: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heads, "HEAD_WITHIN_S", 0.2)
    async with connected() as (reader, writer):
        writer.write(sent)
        assert (await reader.readline()).split()[1] == b"405"

        async def dripping() -> None:
            while True:
                writer.write(drop)
                await asyncio.sleep(0.02)

        drips = asyncio.create_task(dripping())
        with contextlib.suppress(ConnectionError):
            await asyncio.wait_for(reader.read(), 5)
        drips.cancel()


async def test_requests_sent_together_are_all_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "HEAD_WITHIN_S", 0.2)
    async with connected() as (reader, writer):
        writer.write(20 * (LINE + b"content-length: 1\r\n\r\nx"))
        answers = b""
        while answers.count(b"200 OK") < 20:
            answers += await asyncio.wait_for(reader.read(65_536), 5)


async def test_a_body_has_its_own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "HEAD_WITHIN_S", 0.05)
    async with connected() as (reader, writer):
        writer.write(LINE + b"content-length: 1\r\n\r\n")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.2)
        writer.write(b"x")
        assert (await reader.readline()).split()[1] == b"200"
