"""`POST /hooks/zoom/{account}`: Zoom's webhooks. They only ring; polling finds out what happened.

Zoom repeats a delivery after 5xx and after its own time-outs, and never after 4xx
(developers.zoom.us/docs/api/webhooks): so 503 while Redis does not take the ring, 401 only for a
signature that is truly wrong, and 200 for what is signed and means nothing to us.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from redis.exceptions import RedisError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from engine import metrics, tracing
from engine.errors import Forged, Malformed, Stale
from engine.web.bodies import read_body
from engine.web.doorbell import Doorbell
from engine.web.signature import answer_validation, verify_zoom

log = logging.getLogger("postroom.hooks")

VALIDATION = "endpoint.url_validation"
HISTORY = "mail.history_event"
TELL_EVERY_S = 10.0

Headers = Mapping[bytes, bytes]
_TAKEN = Response(status_code=204)


@dataclass(frozen=True)
class ZoomHook:
    """What one account's webhooks are held against."""

    secret: str
    max_age: float | None
    mailboxes: Mapping[str, str]
    """Our mailboxes by address in lower case."""


@dataclass
class ZoomHooks:
    """The endpoint for all accounts, an ASGI application: Starlette's requests cost more than all we read."""

    accounts: Mapping[str, ZoomHook]
    doorbell: Doorbell
    clock: Callable[[], float] = time.time
    told: dict[str, float] = field(default_factory=dict)
    """When refusals of an account were last written to the log."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = await self._take(scope["path_params"]["account"], scope, receive)
        await answer(scope, receive, send)

    async def _take(self, account: str, scope: Scope, receive: Receive) -> Response:
        hook = self.accounts.get(account)
        if hook is None:
            return _refuse(404, "there is no such account with a webhook secret")
        try:
            body = await read_body(scope, receive)
        except HTTPException as error:
            metrics.WEBHOOKS.add(account, "unreadable")
            return _refuse(error.status_code, error.detail)
        # Of a header that comes twice, the first counts.
        headers = dict(reversed(scope["headers"]))
        with tracing.span("webhook", tracing.read(_text(headers, b"traceparent")), account=account):
            outcome, answer = await self._answer(account, hook, headers, body)
        metrics.WEBHOOKS.add(account, outcome)
        return answer

    async def _answer(
        self, account: str, hook: ZoomHook, headers: Headers, body: bytes
    ) -> tuple[str, Response]:
        try:
            self._verify(hook, headers, body)
            metrics.mark("signed", account)
            return await self._act(account, hook, body)
        except (Forged, Stale) as error:
            outcome = type(error).__name__.lower()
            metrics.mark(outcome, account)
            self._tell(account, error)
            return outcome, _refuse(401, str(error))
        except Malformed as error:
            return _ignore("malformed", f"malformed: {error}")
        except (RedisError, OSError) as error:
            log.error("webhook not taken, Redis does not answer: %s", type(error).__name__)
            return "failed", _refuse(503, "try again later")

    def _tell(self, account: str, error: Exception) -> None:
        """Say that webhooks are refused, and not each time: whoever forges them writes our log otherwise."""
        now = self.clock()
        if now - self.told.get(account, 0.0) >= TELL_EVERY_S:
            self.told[account] = now
            log.warning("webhook for %s refused, as may be others: %s", account, error)

    def _verify(self, hook: ZoomHook, headers: Headers, body: bytes) -> None:
        timestamp, signature = _text(headers, b"x-zm-request-timestamp"), _text(headers, b"x-zm-signature")
        verify_zoom(hook.secret, timestamp, signature, body, self.clock(), hook.max_age)

    async def _act(self, account: str, hook: ZoomHook, body: bytes) -> tuple[str, Response]:
        event = _parse(body)
        kind = event.get("event")
        if kind == VALIDATION:
            return "validated", _validate(account, hook, event)
        if kind != HISTORY:
            return _ignore("ignored", f"unknown event {str(kind)[:80]!r}")
        address = _dig(event, "payload", "object", "email")
        mailbox = hook.mailboxes.get(address.lower()) if isinstance(address, str) else None
        if mailbox is None:
            return _ignore("ignored", "an event of a mailbox that is not configured")
        await self.doorbell.ring(mailbox, tracing.current())
        log.debug("webhook taken for %s", mailbox)
        return "taken", _TAKEN


def _validate(account: str, hook: ZoomHook, event: dict[str, Any]) -> Response:
    """Answer a validation, and note for the silence alarm how it went."""
    try:
        answer = answer_validation(hook.secret, _dig(event, "payload", "plainToken"))
    except Malformed:
        metrics.mark("refused", account)
        raise
    metrics.mark("validated", account)
    log.info("webhook address of %s validated", account)
    return JSONResponse(answer)


def _ignore(outcome: str, why: str) -> tuple[str, Response]:
    log.info("webhook signed and ignored: %s", why)
    return outcome, JSONResponse({"ignored": why})


def _text(headers: Headers, name: bytes) -> str:
    return headers.get(name, b"").decode("latin-1")


def _refuse(status: int, why: str) -> Response:
    return JSONResponse({"error": why}, status_code=status)


def _parse(body: bytes) -> dict[str, Any]:
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        raise Malformed("the body is no JSON") from None
    if not isinstance(event, dict):
        raise Malformed("the body is no JSON object")
    return event


def _dig(value: Any, *names: str) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value
