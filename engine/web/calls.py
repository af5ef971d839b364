"""`POST /hooks/in/{name}`: calls of other systems. 2xx says that Redis has the call, and nothing else does.

A call is verified over its raw bytes, read, held against the hook's schema and written down together
with its idempotency key; rules are asked later. Whoever gets no answer, or 503, calls again.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Protocol

from redis.exceptions import RedisError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from engine import metrics, tracing
from engine.errors import Forged, Malformed, Stale
from engine.flow.calls import Call, Taken, hook_event, key_id
from engine.mail.events import hook_lane
from engine.web.bodies import MAX_BODY, read_body
from engine.web.payloads import read_payload, take_files
from engine.web.schemes import BY_TOKEN, Headers, check_signature, check_token, repeats, text

log = logging.getLogger("postroom.hooks")

LARGE = 200_000
"""Bytes whose reading would keep other calls waiting: a thread does it."""
TELL_EVERY_S = 10.0
DIFFERS = "this key came before with another body: give another call another key"


class Schema(Protocol):
    """What a body must fit."""

    def iter_errors(self, instance: Any) -> Any: ...


class Intake(Protocol):
    """Writes calls down."""

    async def put(self, item: Call) -> Taken: ...


class Misfit(Malformed):
    """Read, and not what the schema asks for."""


@dataclass(frozen=True)
class Hook:
    """What one hook's calls are held against."""

    scheme: str
    secret: str
    mailbox: str
    schema: Schema | None = None
    attachments: int = 0

    @property
    def limit(self) -> int:
        """Bytes of a body: files are a third longer in base64."""
        return MAX_BODY + self.attachments * 4 // 3


@dataclass
class Calls:
    """The endpoint for all hooks, an ASGI application."""

    hooks: Mapping[str, Hook]
    intake: Intake
    salt: Callable[[], Awaitable[str]]
    clock: Callable[[], float] = time.time
    told: dict[str, float] = field(default_factory=dict)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = await self._answer(scope["path_params"]["name"], scope, receive)
        await answer(scope, receive, send)

    async def _answer(self, name: str, scope: Scope, receive: Receive) -> Response:
        hook = self.hooks.get(name)
        if hook is None:
            return refuse(404, "there is no such hook")
        # Of a header that comes twice, the first counts.
        headers: Headers = dict(reversed(scope["headers"]))
        with tracing.span("call", tracing.read(text(headers, b"traceparent")), hook=name):
            outcome, answer = await self._outcome(name, hook, headers, scope, receive)
        metrics.HOOKS.add(name, outcome)
        if outcome in ("forged", "stale"):
            self._tell(name)
        return answer

    async def _outcome(
        self, name: str, hook: Hook, headers: Headers, scope: Scope, receive: Receive
    ) -> tuple[str, Response]:
        try:
            if hook.scheme in BY_TOKEN:
                check_token(hook.secret, headers)
            body = await read_body(scope, receive, hook.limit)
            salt, now = await self.salt(), self.clock()
            call = await apart(len(body), lambda: read_call(name, hook, headers, body, salt, now))
            return answered(await self.intake.put(call))
        except FAILING as error:
            return refused(error)

    def _tell(self, name: str) -> None:
        """Say that calls are refused, and not each time: whoever forges them writes our log otherwise."""
        now = self.clock()
        if now - self.told.get(name, 0.0) >= TELL_EVERY_S:
            self.told[name] = now
            log.warning("call of hook %s refused, as may be others: it is not signed with its secret", name)


def read_call(name: str, hook: Hook, headers: Headers, body: bytes, salt: str, now: float) -> Call:
    """Verify and read a call. Raises WebhookErrors."""
    if hook.scheme not in BY_TOKEN:
        check_signature(hook.scheme, hook.secret, headers, body, now)
    payload, value = read_payload(body)
    if hook.schema is not None:
        check_schema(hook.schema, value)
    payload, files = take_files(payload, hook.attachments) if hook.attachments else (payload, ())
    told = repeats(hook.scheme, headers, value)
    if hook.scheme == "github" and isinstance(value, dict):
        payload = _with_kind(payload, text(headers, b"x-github-event"))
    call = key_id(hook_lane(name), told.key, salt) if told.key else secrets.token_hex(16)
    event = hook_event(name, hook.mailbox, call, payload)
    digest = sha256(body).hexdigest()
    return Call(event, digest, told.strict, told.within, files, tracing.current())


def _with_kind(payload: str, kind: str) -> str:
    """Write GitHub's name of the event, which a header tells, into the payload for rules to ask for."""
    rest = payload.lstrip()[1:].lstrip()
    return f'{{"x_github_event": {json.dumps(kind[:100])}{"" if rest.startswith("}") else ", "}{rest}'


def check_schema(schema: Schema, value: Any) -> None:
    """Hold a body against its schema. Raises Misfit, which names places and nothing that was said there."""
    for error in schema.iter_errors(value):
        place = ".".join(str(step) for step in error.instance_path) or "the body"
        asked = "/".join(str(step) for step in error.schema_path)
        raise Misfit(f"{place[:200]} is not what the schema asks for at {asked[:200]}")


async def apart(size: int, read: Callable[[], Call]) -> Call:
    """Read what is large in a thread."""
    return await asyncio.to_thread(read) if size > LARGE else read()


def answered(taken: Taken) -> tuple[str, Response]:
    """Answer a call that Redis has; a repetition as the first time."""
    if taken.differs:
        return "differs", refuse(422, DIFFERS)
    return ("repeated" if taken.repeated else "taken"), JSONResponse({"run": taken.id}, status_code=202)


FAILING = (Forged, Stale, Malformed, HTTPException, RedisError, OSError)


def refused(error: Exception) -> tuple[str, Response]:
    """Say what becomes of a call that is not taken, and answer it."""
    if isinstance(error, (Forged, Stale)):
        return type(error).__name__.lower(), refuse(401, str(error))
    if isinstance(error, Malformed):
        misfit = isinstance(error, Misfit)
        return ("misfit", refuse(422, str(error))) if misfit else ("malformed", refuse(400, str(error)))
    if isinstance(error, HTTPException):
        return "unreadable", refuse(error.status_code, error.detail)
    log.error("call not taken, Redis does not answer: %s", type(error).__name__)
    return "failed", refuse(503, "try again later")


def refuse(status: int, why: str) -> Response:
    headers = (
        {"retry-after": "5"} if status == 503 else {"www-authenticate": "Bearer"} if status == 401 else {}
    )
    return JSONResponse({"error": why}, status_code=status, headers=headers)


def sizes(call: Call) -> int:
    """How many bytes a call takes on its way to Redis."""
    return len(call.event.payload) + sum(len(one.content) * 4 // 3 for one in call.files)
