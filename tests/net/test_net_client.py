"""The HTTP client against real sockets: what breaks, when, and what is said of it."""

from __future__ import annotations

import asyncio
import gzip
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from engine.errors import OutcomeUnknown, ProviderError, Rejected, Unavailable
from engine.net.client import HttpClient
from engine.net.failures import Call
from engine.net.wire import USER_AGENT, Timeouts

READ = Call("read")
SEND = Call("send", idempotent=False)
SECRET = "tok-" + "s3cret"

Handler = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def server(handler: Handler) -> AsyncIterator[str]:
    """A server that gives each request, read whole, to `handler`; yields its root URL."""
    kept = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Nothing else holds on to who waits for ever: the garbage collector would take him.
        kept.append(asyncio.current_task())
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
                body = await reader.readexactly(int(length[1])) if length else b""
                await handler(head + body, writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        listening.close()


@asynccontextmanager
async def client(max_bytes: int = 1000, **timeouts: float) -> AsyncIterator[HttpClient]:
    http = HttpClient(timeouts=Timeouts(**timeouts), max_bytes=max_bytes)
    http.hide(SECRET)
    try:
        yield http
    finally:
        await http.aclose()


def said(head: str, body: bytes = b"") -> Handler:
    async def handler(_request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body)

    return handler


TWICE = gzip.compress(gzip.compress(b"{}", mtime=0), mtime=0)


async def hang_up(_request: bytes, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def reset(_request: bytes, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def say_nothing(_request: bytes, _writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def stop_halfway(_request: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    await writer.drain()
    await asyncio.Event().wait()


BROKEN = [
    pytest.param(hang_up, id="the server hangs up before answering"),
    pytest.param(reset, id="the connection is reset before the answer"),
    pytest.param(said("HTTP/1.1 200 OK\nContent-Length: 10", b"12345"), id="the answer is cut off"),
    pytest.param(said("HTTP/1.1 200 OK\nContent-Le"), id="the answer is cut off among the headers"),
    pytest.param(
        said("HTTP/1.1 200 OK\nTransfer-Encoding: chunked", b"5\r\n12345\r\n"), id="a chunk is missing"
    ),
    pytest.param(said("SMTP ready"), id="the answer is not HTTP"),
    pytest.param(
        said("HTTP/1.1 200 OK\nContent-Encoding: gzip\nContent-Length: 5", b"12345"),
        id="the compression is broken",
    ),
    pytest.param(
        said(f"HTTP/1.1 200 OK\nContent-Encoding: gzip, gzip\nContent-Length: {len(TWICE)}", TWICE),
        id="the answer is compressed twice, as bombs are",
    ),
]


def closing(handler: Handler) -> Handler:
    async def handle(request: bytes, writer: asyncio.StreamWriter) -> None:
        await handler(request, writer)
        await writer.drain()
        writer.close()

    return handle


@pytest.mark.parametrize("handler", BROKEN)
async def test_an_answer_that_breaks_leaves_a_send_unknown(handler: Handler) -> None:
    async with server(closing(handler)) as url, client() as http:
        with pytest.raises(Unavailable):
            await http.ask("GET", f"{url}/x", READ)
        with pytest.raises(OutcomeUnknown):
            await http.ask("POST", f"{url}/x", SEND, json={"raw": "x"})


async def test_a_call_that_can_be_repeated_does_not_wait_long_for_a_silent_server() -> None:
    async with server(say_nothing) as url, client(read=30, again=0.1) as http, asyncio.timeout(5):
        with pytest.raises(Unavailable):
            await http.ask("GET", url, Call("messages.get"))
        waiting = asyncio.create_task(http.ask("POST", url, Call("messages.send", idempotent=False)))
        assert not (await asyncio.wait({waiting}, timeout=0.5))[0]
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)


@pytest.mark.parametrize(
    ("handler", "timeouts"),
    [
        pytest.param(say_nothing, {"read": 0.05}, id="a server that never answers"),
        pytest.param(stop_halfway, {"total": 0.1}, id="an answer that never ends"),
    ],
)
async def test_timeouts_are_honoured(handler: Handler, timeouts: dict[str, float]) -> None:
    async with server(handler) as url, client(10**6, **timeouts) as http, asyncio.timeout(5):
        with pytest.raises(Unavailable):
            await http.ask("GET", url, READ)
        with pytest.raises(OutcomeUnknown):
            await http.ask("POST", url, SEND, json={})


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"Dear Ann, the password is 1234\r\n\r\n", id="no HTTP at all"),
        pytest.param(b"HTTP/1.1 200 OK\r\nDear Ann\r\n\r\n", id="a line that is no header"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\nDear Ann\r\n", id="no chunk"
        ),
    ],
)
async def test_what_cannot_be_read_is_not_quoted(answer: bytes) -> None:
    async def handler(_request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)

    async with server(closing(handler)) as url, client() as http:
        with pytest.raises(Unavailable) as caught:
            await http.ask("GET", url, Call("t"))
    assert "Ann" not in str(caught.value)


async def test_what_was_never_sent_is_unavailable() -> None:
    async with server(hang_up) as url, client() as http:
        closed = url
    async with client() as http:
        for call in (READ, SEND):
            with pytest.raises(Unavailable):
                await http.ask("POST", closed, call, json={})


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "http://", "not a url", "http://127.0.0.1:99999/"])
async def test_an_address_that_cannot_be_called_is_rejected(url: str) -> None:
    async with client() as http:
        with pytest.raises((Rejected, Unavailable)):
            await http.ask("POST", url, SEND)


async def test_an_answer_is_read_whole_with_its_encoding_taken_off() -> None:
    body = gzip.compress(b"x" * 900)
    head = f"HTTP/1.1 200 OK\nContent-Encoding: gzip\nX-Zm-TrackingId: t\nContent-Length: {len(body)}"
    async with server(said(head, body)) as url, client() as http:
        answer = await http.ask("GET", url, READ)
    assert (answer.status, answer.body, answer.headers["x-zm-trackingid"]) == (200, b"x" * 900, "t")


async def test_an_answer_larger_than_the_bound_is_dropped() -> None:
    body = gzip.compress(b"x" * 1_000_000)
    head = f"HTTP/1.1 200 OK\nContent-Encoding: gzip\nContent-Length: {len(body)}"
    async with server(said(head, body)) as url, client() as http:
        with pytest.raises(Rejected):
            await http.ask("GET", url, READ)
        with pytest.raises(OutcomeUnknown):
            await http.ask("POST", url, SEND)


async def test_redirects_and_cookies_are_left_alone() -> None:
    requests: list[bytes] = []
    head = "HTTP/1.1 302 Found\nLocation: http://127.0.0.1:1/\nSet-Cookie: a=b\nContent-Length: 0"

    async def handler(request: bytes, writer: asyncio.StreamWriter) -> None:
        requests.append(request)
        await said(head)(request, writer)

    async with server(handler) as url, client() as http:
        for _ in range(2):
            assert (await http.ask("GET", url, READ)).status == 302
    assert len(requests) == 2
    assert b"cookie" not in requests[1].lower()


async def test_a_request_arrives_as_it_was_meant() -> None:
    requests: list[bytes] = []

    async def handler(request: bytes, writer: asyncio.StreamWriter) -> None:
        requests.append(request)
        await said("HTTP/1.1 204 No Content")(request, writer)

    async with server(handler) as url, client() as http:
        await http.ask(
            "GET",
            f"{url}/mailboxes/a%2Bb@x.example/%2Fy",
            READ,
            params={"q": "rfc822msgid:a+b&c=d@x after:2026-01-01T00:00:00Z", "t": "a b/é%"},
            headers={"Authorization": f"Bearer {SECRET}"},
        )
        await http.ask("POST", url, SEND, form={"grant_type": "a b&c"}, auth=("id", "pw"))
        await http.ask("POST", url, SEND, json={"name": "é"})
        await http.ask("POST", url, SEND)
    line = requests[0].split(b"\r\n")[0].decode()
    assert line.startswith("GET /mailboxes/a%2Bb@x.example/%2Fy?q=rfc822msgid")
    assert "a%2Bb%26c%3Dd" in line
    assert "%C3%A9%25" in line
    assert USER_AGENT.encode() in requests[0]
    assert b"authorization: basic awq6chc=" in requests[1].lower()
    assert requests[1].endswith(b"grant_type=a+b%26c")
    assert b"content-type: application/x-www-form-urlencoded" in requests[1].lower()
    assert requests[2].endswith('{"name":"é"}'.encode())
    assert b"content-type: application/json" in requests[2].lower()
    assert b"content-length: 0\r\n" in requests[3].lower()


async def test_a_connection_is_kept_for_the_next_call() -> None:
    peers: set[object] = set()

    async def handler(request: bytes, writer: asyncio.StreamWriter) -> None:
        peers.add(writer.get_extra_info("peername"))
        await said("HTTP/1.1 200 OK\nContent-Length: 2", b"{}")(request, writer)

    async with server(handler) as url, client() as http:
        for _ in range(3):
            await http.ask("GET", url, READ)
    assert len(peers) == 1


async def test_no_secret_shows_in_errors_or_logs(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    failures: list[ProviderError] = []
    headers = {"Authorization": f"Bearer {SECRET}"}
    async with server(hang_up) as url, client() as http:
        for address in (f"{url}/{SECRET}", f"http://{SECRET}:99999/", f"http://127.0.0.1:1/{SECRET}"):
            with pytest.raises(ProviderError) as caught:
                await http.ask("POST", address, SEND, headers=headers, auth=("id", SECRET))
            failures.append(caught.value)
    for failure in failures:
        assert SECRET not in f"{failure!r} {failure} {failure.args} {failure.__dict__}"
        assert failure.__cause__ is None
        assert failure.__context__ is None
    assert SECRET not in "".join(record.getMessage() for record in caplog.records)
