"""`/api/v1`: one message to be sent, and how far it is. Callers show the token of `web.api_token`."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from engine import metrics, tracing
from engine.errors import Malformed
from engine.flow.asked import Asked, misfits
from engine.flow.calls import Call, key_id, send_event
from engine.flow.written import load
from engine.mail.bodies import File
from engine.mail.events import SEND_LANE
from engine.templating.library import Library
from engine.web.approvals import ApprovalApi
from engine.web.bodies import MAX_BODY, read_body
from engine.web.brake import BrakeApi
from engine.web.calls import FAILING, Intake, Misfit, answered, apart, refuse, refused
from engine.web.payloads import FILES, read_files, read_payload
from engine.web.schemes import Headers, check_api, repeats, text

MAX_ID = 64
Told = Callable[[str], Awaitable[Mapping[str, Any] | None]]
"""Tells how far a run or a call is; None for one that nobody knows."""


@dataclass
class Api:
    """The endpoints; `token` None means that there are none."""

    token: str | None
    intake: Intake
    salt: Callable[[], Awaitable[str]]
    templates: Callable[[], Awaitable[Library | None]]
    """The templates in force; None before there are any."""
    told: Told
    mailboxes: tuple[str, ...] = ()
    attachments: int = 0
    approvals: ApprovalApi | None = None
    brake: BrakeApi | None = None

    @property
    def routes(self) -> list[Route]:
        return [
            Route("/api/v1/send", self.send, methods=["POST"]),
            Route("/api/v1/runs/{run}", self.run, methods=["GET"]),
            *(self.approvals.routes if self.approvals else ()),
            *(self.brake.routes if self.brake else ()),
        ]

    async def send(self, request: Request) -> Response:
        """Take one message to be sent."""
        headers: Headers = dict(reversed(request.scope["headers"]))
        with tracing.span("call", tracing.read(text(headers, b"traceparent")), hook="send"):
            outcome, answer = await self._send(headers, request)
        metrics.HOOKS.add("(send)", outcome)
        return answer

    async def _send(self, headers: Headers, request: Request) -> tuple[str, Response]:
        try:
            check_api(self.token, headers)
            body = await read_body(request.scope, request.receive, MAX_BODY + self.attachments * 4 // 3)
            library = await self.templates()
            if library is None:
                return "failed", refuse(503, "no templates have been put in force yet")
            salt = await self.salt()
            call = await apart(len(body), lambda: self._read(headers, body, salt, library))
            return answered(await self.intake.put(call))
        except FAILING as error:
            return refused(error)

    async def run(self, request: Request) -> Response:
        """Tell how far a run is."""
        try:
            check_api(self.token, dict(reversed(request.scope["headers"])))
            found = await self.told(request.path_params["run"][:MAX_ID])
        except FAILING as error:
            return refused(error)[1]
        return JSONResponse(found) if found else refuse(404, "there is no such run")

    def _read(self, headers: Headers, body: bytes, salt: str, library: Library) -> Call:
        payload, _ = read_payload(body)
        value = load(payload)
        if not isinstance(value, dict):
            raise Malformed("the body is no map")
        files = read_files(value.pop(FILES), self.attachments) if FILES in value else ()
        mailbox = value.pop("mailbox", "")
        told = repeats("bearer", headers, value)
        call = key_id(SEND_LANE, told.key, salt) if told.key else secrets.token_hex(16)
        return send_call(library, self.mailboxes, mailbox, value, files, call, sha256(body).hexdigest())


def send_call(
    library: Library,
    mailboxes: tuple[str, ...],
    mailbox: object,
    value: Mapping[str, Any],
    files: tuple[File, ...],
    call: str,
    digest: str,
) -> Call:
    """Hold what is asked for against the templates in force. Raises Misfit."""
    chosen = mailbox or (mailboxes[0] if len(mailboxes) == 1 else "")
    if chosen not in mailboxes:
        raise Misfit(f"mailbox: write which one it leaves from: {', '.join(mailboxes) or 'there is none'}")
    try:
        asked = Asked.model_validate(value)
    except ValidationError as error:
        raise Misfit("; ".join(_plainly(each) for each in error.errors()[:5])) from None
    if found := misfits(library, asked, str(chosen), datetime.now(UTC)):
        raise Misfit("; ".join(found[:5]))
    event = send_event(
        str(chosen), call, asked.model_dump(by_alias=True, exclude=None if asked.at else {"at"})
    )
    return Call(event, digest, files=files, trace=tracing.current())


def _plainly(error: Any) -> str:
    place = ".".join(str(step) for step in error["loc"][:3])[:100]
    return f"{place}: {error['msg'].removeprefix('Value error, ')[:200]}"
