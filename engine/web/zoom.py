"""`POST /hooks/zoom/{account}`: Zoom's webhooks. They only ring; polling finds out what happened.

Zoom repeats a delivery after 5xx and after its own time-outs, and never after 4xx
(developers.zoom.us/docs/api/webhooks): so 503 while Redis does not take the ring, 401 only for a
signature that is truly wrong, and 200 for what is signed and means nothing to us.
"""

from __future__ import annotations

import json
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from redis.exceptions import RedisError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from engine.errors import Forged, Malformed, Stale
from engine.web.bodies import read_body
from engine.web.doorbell import Doorbell
from engine.web.signature import answer_validation, verify_zoom

log = logging.getLogger("postroom.hooks")

VALIDATION = "endpoint.url_validation"
HISTORY = "mail.history_event"


@dataclass(frozen=True)
class ZoomHook:
    """What one account's webhooks are held against."""

    secret: str
    max_age: float | None
    mailboxes: Mapping[str, str]
    """Our mailboxes by address in lower case."""


@dataclass
class ZoomHooks:
    """The endpoint for all accounts."""

    accounts: Mapping[str, ZoomHook]
    doorbell: Doorbell
    clock: Callable[[], float] = time.time
    counts: Counter[str] = field(default_factory=Counter)

    async def take(self, request: Request) -> Response:
        hook = self.accounts.get(request.path_params["account"])
        if hook is None:
            return _refuse(404, "there is no such account with a webhook secret")
        body = await read_body(request)
        try:
            self._verify(hook, request, body)
            return await self._act(hook, body)
        except (Forged, Stale) as error:
            self.counts[type(error).__name__.lower()] += 1
            log.warning("webhook refused: %s", error)
            return _refuse(401, str(error))
        except Malformed as error:
            return self._ignore(f"malformed: {error}")
        except (RedisError, OSError) as error:
            log.error("webhook not taken, Redis does not answer: %s", type(error).__name__)
            return _refuse(503, "try again later")

    def _verify(self, hook: ZoomHook, request: Request, body: bytes) -> None:
        timestamp = request.headers.get("x-zm-request-timestamp", "")
        signature = request.headers.get("x-zm-signature", "")
        verify_zoom(hook.secret, timestamp, signature, body, self.clock(), hook.max_age)

    async def _act(self, hook: ZoomHook, body: bytes) -> Response:
        event = _parse(body)
        kind = event.get("event")
        if kind == VALIDATION:
            return JSONResponse(answer_validation(hook.secret, _dig(event, "payload", "plainToken")))
        if kind != HISTORY:
            return self._ignore(f"unknown event {str(kind)[:80]!r}")
        address = _dig(event, "payload", "object", "email")
        mailbox = hook.mailboxes.get(address.lower()) if isinstance(address, str) else None
        if mailbox is None:
            return self._ignore("an event of a mailbox that is not configured")
        await self.doorbell.ring(mailbox)
        self.counts["taken"] += 1
        return Response(status_code=204)

    def _ignore(self, why: str) -> Response:
        self.counts["ignored"] += 1
        log.info("webhook signed and ignored: %s", why)
        return JSONResponse({"ignored": why})


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
