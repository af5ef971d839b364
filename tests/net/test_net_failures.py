"""Every way in which HTTP can fail has one meaning."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

import aiohttp
import pytest
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from engine.errors import (
    CursorExpired,
    MessageGone,
    OutcomeUnknown,
    ProviderError,
    RateLimited,
    Rejected,
    Unauthorized,
    Unavailable,
)
from engine.net.failures import Answer, AnswerTooLarge, BadAnswer, Call, to_error

NOW = 1_700_000_000.0
READ = Call("messages.get", idempotent=True, gone=MessageGone)
SEND = Call("messages.send", idempotent=False)

KEY = aiohttp.client_reqrep.ConnectionKey("h", 443, True, True, None, None, None)
NOTHING_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ClientHttpProxyError)
INFO = aiohttp.RequestInfo(URL("https://h/"), "GET", CIMultiDictProxy(CIMultiDict()))
WRONG_CALL = (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError)


def aiohttp_failures() -> Iterator[type[Exception]]:
    """Every failure that aiohttp exports, so that a new one fails here first."""
    for name in aiohttp.__all__:
        member = getattr(aiohttp, name)
        if isinstance(member, type) and issubclass(member, aiohttp.ClientError):
            yield member


def make(kind: type[Exception]) -> Exception:
    if issubclass(kind, aiohttp.ClientConnectorCertificateError):
        return kind(KEY, ssl.CertificateError("m"))
    if issubclass(kind, aiohttp.ClientConnectorError):
        return kind(KEY, OSError(111, "m"))
    if issubclass(kind, aiohttp.ClientResponseError):
        return kind(INFO, ())
    return kind(b"m", b"n", "h", 443) if kind is aiohttp.ServerFingerprintMismatch else kind("m")


REFUSED = OSError(111, "refused")


def raised_from(failure: Exception, cause: Exception) -> Exception:
    failure.__cause__ = cause
    return failure


def answer(status: int, **headers: str) -> Answer:
    return Answer(status, CIMultiDict({k.replace("_", "-"): v for k, v in headers.items()}), b"")


@pytest.mark.parametrize("kind", aiohttp_failures(), ids=lambda kind: kind.__name__)
def test_every_failure_of_aiohttp_is_classified(kind: type[Exception]) -> None:
    read, send = (type(to_error(make(kind), call, NOW)) for call in (READ, SEND))
    if issubclass(kind, WRONG_CALL):
        assert (read, send) == (Rejected, Rejected)
    elif issubclass(kind, NOTHING_SENT):
        assert (read, send) == (Unavailable, Unavailable)
    else:
        assert (read, send) == (Unavailable, OutcomeUnknown)


@pytest.mark.parametrize(
    ("failure", "sent"),
    [
        pytest.param(aiohttp.ServerDisconnectedError(), True, id="a server that hangs up after the request"),
        pytest.param(aiohttp.ClientOSError(104, "reset"), True, id="a connection reset after the request"),
        pytest.param(aiohttp.SocketTimeoutError(), True, id="an answer that does not come"),
        pytest.param(aiohttp.ClientPayloadError(), True, id="an answer that is cut off"),
        pytest.param(
            aiohttp.ConnectionTimeoutError(), False, id="a pool or a host that gives no connection in time"
        ),
        pytest.param(
            raised_from(aiohttp.ClientConnectorError(KEY, REFUSED), REFUSED), False, id="a refused connection"
        ),
        pytest.param(TimeoutError(), True, id="our own deadline"),
        pytest.param(ConnectionResetError(), True, id="a bare reset"),
        pytest.param(BadAnswer("not JSON"), True, id="a success that cannot be read"),
    ],
)
def test_only_what_was_never_sent_is_certain(failure: Exception, sent: bool) -> None:
    assert type(to_error(failure, SEND, NOW)) is (OutcomeUnknown if sent else Unavailable)
    assert type(to_error(failure, READ, NOW)) is Unavailable


def test_an_answer_too_large_is_not_asked_for_again() -> None:
    assert type(to_error(AnswerTooLarge("m"), READ, NOW)) is Rejected
    assert type(to_error(AnswerTooLarge("m"), SEND, NOW)) is OutcomeUnknown


def expected(status: int, call: Call) -> type[ProviderError]:
    told: dict[int, type[ProviderError]] = {
        401: Unauthorized,
        404: call.gone,
        410: call.gone,
        421: Unavailable,
        425: Unavailable,
        429: RateLimited,
    }
    if status in told:
        return told[status]
    if status == 408 or (status >= 500 and status not in (501, 505, 506, 510)):
        return Unavailable if call.idempotent else OutcomeUnknown
    return Rejected


@pytest.mark.parametrize("status", range(400, 600))
def test_every_status_is_classified(status: int) -> None:
    for call in (READ, SEND):
        error = to_error(answer(status), call, NOW, tracking="t-1")
        assert type(error) is expected(status, call)
        assert str(status) in str(error)
        assert error.tracking == "t-1"


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
def test_a_redirect_is_never_followed(status: int) -> None:
    assert type(to_error(answer(status), READ, NOW)) is Rejected
    lost = status == 303
    assert type(to_error(answer(status), SEND, NOW)) is (OutcomeUnknown if lost else Rejected)


def test_the_call_says_what_missing_and_taken_mean() -> None:
    call = Call("x", gone=CursorExpired, taken=MessageGone)
    assert type(to_error(answer(404), call, NOW)) is CursorExpired
    assert type(to_error(answer(409), call, NOW)) is MessageGone


def test_a_503_that_names_a_time_is_waited_for_unless_the_call_may_have_worked() -> None:
    waiting = to_error(answer(503, retry_after="120"), READ, NOW)
    assert isinstance(waiting, RateLimited)
    assert waiting.until == NOW + 120
    assert type(to_error(answer(503, retry_after="120"), SEND, NOW)) is OutcomeUnknown


def test_a_429_carries_the_moment_and_the_detail() -> None:
    error = to_error(answer(429, retry_after="7"), SEND, NOW, detail="429 slow down", tracking="v=2.0;t")
    assert isinstance(error, RateLimited)
    assert error.until == NOW + 7
    assert str(error) == "messages.send answered 429: 429 slow down (tracking id v=2.0;t)"
