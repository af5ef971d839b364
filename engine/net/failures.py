"""What a failed HTTP call means: one pure function from exception or status to our errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp

from engine.errors import (
    OutcomeUnknown,
    ProviderError,
    RateLimited,
    Rejected,
    Unauthorized,
    Unavailable,
)
from engine.net.redaction import redact
from engine.net.waits import wait_until


class AnswerTooLarge(Exception):
    """The answer is longer than the client is willing to hold."""


class BadAnswer(Exception):
    """The answer says that it worked, and cannot be read."""


@dataclass(frozen=True, slots=True)
class Call:
    """What was asked, as far as the meaning of its failure depends on it."""

    name: str
    """For people, such as `messages.send`."""
    idempotent: bool = True
    gone: type[ProviderError] = Rejected
    """What 404 and 410 mean here."""
    taken: type[ProviderError] = Rejected
    """What 409 means here."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, its content encoding taken off."""

    status: int
    headers: Mapping[str, str]
    """Names are looked up whatever their case."""
    body: bytes

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


Failure = Exception | Answer

_NEVER_SENT = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ClientHttpProxyError,
)
_WRONG_CALL = (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError, UnicodeError)
_WRONG_STATUS = frozenset({501, 505, 506, 510})
"""Server errors that another try cannot change."""
_NOT_DONE = frozenset({421, 425})
"""RFC 9110, section 15.5.20, and RFC 8470, section 5.2: the request was not processed."""


def to_error(
    failure: Failure, call: Call, now: float, *, detail: str = "", tracking: str = ""
) -> ProviderError:
    """Say what a failure means for a call, with `detail` (redacted by the caller) in the text."""
    if isinstance(failure, Answer):
        text = f"{call.name} answered {failure.status}"
        return _of_status(failure, call, now, f"{text}: {detail}" if detail else text, tracking)
    shown = detail or redact(told(failure))
    text = f"{call.name} failed: {type(failure).__name__}"
    kind = _kind_of_exception(failure, call)
    return kind(f"{text}: {shown}" if shown else text, tracking=tracking)


def told(failure: Exception) -> str:
    """Say what went wrong, without the bytes of an answer that is no HTTP: they may be text of a message."""
    if isinstance(failure, aiohttp.ClientResponseError):
        return "the answer is no HTTP"
    return "the answer is broken" if isinstance(failure, aiohttp.ClientPayloadError) else str(failure)


def _of_status(answer: Answer, call: Call, now: float, text: str, tracking: str) -> ProviderError:
    status, headers = answer.status, answer.headers
    if status == 429:
        return RateLimited(text, until=wait_until(headers, now), tracking=tracking)
    if status == 503 and call.idempotent and "retry-after" in headers:
        return RateLimited(text, until=wait_until(headers, now), tracking=tracking)
    return _kind_of_status(status, call)(text, tracking=tracking)


def _kind_of_status(status: int, call: Call) -> type[ProviderError]:
    told: dict[int, type[ProviderError]] = {
        401: Unauthorized,
        404: call.gone,
        409: call.taken,
        410: call.gone,
    }
    if status in told:
        return told[status]
    if status in _NOT_DONE:
        return Unavailable
    # A gateway's 5xx, and a 303, may follow on a request that was carried out.
    failed = status == 408 or (status >= 500 and status not in _WRONG_STATUS)
    if failed or status < 300 or (status == 303 and not call.idempotent):
        return _lost(call)
    return Rejected


def _kind_of_exception(failure: Exception, call: Call) -> type[ProviderError]:
    if isinstance(failure, _WRONG_CALL):
        return Rejected
    if isinstance(failure, AnswerTooLarge):
        return Rejected if call.idempotent else OutcomeUnknown
    return Unavailable if isinstance(failure, _NEVER_SENT) else _lost(call)


def _lost(call: Call) -> type[ProviderError]:
    return Unavailable if call.idempotent else OutcomeUnknown
