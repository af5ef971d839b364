"""The one HTTP client: calls bounded in time and size, whose every failure is one of our errors."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from json import dumps
from typing import Any
from urllib.parse import urlencode

import aiohttp

from engine.deadline import check_deadline
from engine.net.failures import Answer, AnswerTooLarge, BadAnswer, Call, to_error, told
from engine.net.redaction import redact
from engine.net.wire import MAX_ANSWER_BYTES, AiohttpWire, Request, Timeouts, Wire

_FAILURES = (aiohttp.ClientError, TimeoutError, OSError, UnicodeError, AnswerTooLarge, BadAnswer)
_JSON = {"Content-Type": "application/json"}
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class HttpClient:
    """One long-lived client per account. Never follows redirects, keeps no cookies."""

    def __init__(
        self,
        *,
        timeouts: Timeouts | None = None,
        max_bytes: int = MAX_ANSWER_BYTES,
        wire: Wire | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._secrets: set[str] = set()
        self._clock = clock
        self._wire = wire or AiohttpWire(timeouts or Timeouts(), max_bytes)
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
        raw: bytes | None = None,
        form: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
    ) -> Answer:
        """Ask once and give the answer, whatever its status; `raw` is JSON already. Raises ProviderErrors.

        Nothing is begun after the task's deadline: that raises Unavailable.
        """
        if self._closed:
            raise RuntimeError("the client is closed")
        failure: Exception
        try:
            sent, body = (_JSON, raw) if raw is not None else _body(json, form)
            named = {**(headers or {}), **sent, **_basic(auth)}
            whole = f"{url}?{_query(tuple(params.items()))}" if params else url
            request = Request(method, whole, named, body, call.idempotent)
            check_deadline()
            return await self._wire.carry(request)
        except _FAILURES as error:
            failure = error
        # Outside the handler: a chained error would carry the request and its credentials.
        raise to_error(failure, call, self._clock(), detail=self.redacted(told(failure)))

    async def aclose(self) -> None:
        self._closed = True
        await self._wire.aclose()


@lru_cache(maxsize=100)
def _query(params: tuple[tuple[str, str], ...]) -> str:
    """Write a query; nearly all calls have the same few."""
    return urlencode(params)


def _body(json: Any, form: Mapping[str, str] | None) -> tuple[Mapping[str, str], bytes | None]:
    """Give a request's body with the header that names its kind."""
    if json is not None:
        return _JSON, dumps(json, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    return (_FORM, urlencode(form).encode()) if form else ({}, None)


def _basic(auth: tuple[str, str] | None) -> Mapping[str, str]:
    """Name who asks (RFC 7617)."""
    return {"Authorization": f"Basic {base64.b64encode(':'.join(auth).encode()).decode()}"} if auth else {}
