"""`POST /api/v1/pause` and `/resume`: hold every send, and let them go on."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from engine.errors import Malformed
from engine.flow.clock import Clock
from engine.store.base import Base
from engine.store.brake import pause_sends, resume_sends
from engine.web.bodies import read_body
from engine.web.calls import FAILING, refused
from engine.web.schemes import check_api

MAX_BODY = 10_000
KEYS = frozenset({"by", "reason"})


@dataclass(frozen=True)
class BrakeApi:
    """The endpoints; a body may say `by`, whoever asks for it, and `reason`."""

    token: str | None
    base: Base
    clock: Clock

    @property
    def routes(self) -> tuple[Route, ...]:
        return (
            Route("/api/v1/pause", self.pause, methods=["POST"]),
            Route("/api/v1/resume", self.resume, methods=["POST"]),
        )

    async def pause(self, request: Request) -> Response:
        """Hold every send."""
        return await self._do(request, self._pause)

    async def resume(self, request: Request) -> Response:
        """Let sends go on."""
        return await self._do(request, self._resume)

    async def _pause(self, said: Mapping[str, str]) -> dict[str, Any]:
        brake = await pause_sends(self.base, _who(said), said.get("reason", ""), self.clock())
        return {"sends_paused": brake.as_dict()}

    async def _resume(self, said: Mapping[str, str]) -> dict[str, Any]:
        before = await resume_sends(self.base, _who(said), self.clock())
        return {"sends_paused": None, "before": before.as_dict() if before else None}

    async def _do(
        self, request: Request, what: Callable[[Mapping[str, str]], Awaitable[dict[str, Any]]]
    ) -> Response:
        try:
            check_api(self.token, dict(reversed(request.scope["headers"])))
            said = _read(await read_body(request.scope, request.receive, MAX_BODY))
            return JSONResponse(await what(said))
        except FAILING as error:
            return refused(error)[1]


def _read(body: bytes) -> Mapping[str, str]:
    """Read who and why; nothing need be said. Raises Malformed."""
    try:
        said = json.loads(body) if body.strip() else {}
    except (ValueError, RecursionError):
        raise Malformed("the body is no JSON") from None
    if not isinstance(said, dict) or not said.keys() <= KEYS:
        raise Malformed("the body is no map of 'by' and 'reason'")
    if not all(isinstance(text, str) for text in said.values()):
        raise Malformed("'by' and 'reason' are texts")
    return said


def _who(said: Mapping[str, str]) -> str:
    return f"{said['by']} (API)" if said.get("by") else "the API"
