"""`/api/v1/approvals`: what waits for a person, and deciding about it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from engine.flow.approvals import Answer, Decision, Letter, Standing
from engine.flow.clock import Clock
from engine.flow.rewriting import MAX_TEXT
from engine.mail.bodies import UnsendableError
from engine.store.approvals import RedisApprovals
from engine.store.journal import RedisJournal
from engine.store.letters import MAX_BY, MAX_REASON, became, in_full, in_short, one_line
from engine.web.bodies import read_body
from engine.web.calls import FAILING, Misfit, refuse, refused
from engine.web.payloads import read_payload
from engine.web.schemes import check_api

MAX_BODY = 4 * MAX_TEXT
MAX_RUN = 64
PATH = "/api/v1/approvals"


def _name(text: str) -> str:
    if not (name := one_line(text, MAX_BY)):
        raise ValueError("says who decides")
    return name


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    by: Annotated[str, AfterValidator(_name)]
    edition: int = Field(0, ge=0)
    """The edition that was read; 0 for whichever there is."""


class Approve(_Body):
    """Have it sent."""


class Reject(_Body):
    """Never have it sent."""

    reason: str = ""


class Edit(_Body):
    """Give it another subject or text."""

    edition: int = Field(ge=1)
    subject: str | None = None
    text: str | None = Field(None, max_length=MAX_TEXT)


B = TypeVar("B", bound=_Body)
Act = Callable[[str, Request], Awaitable[Response]]


@dataclass
class ApprovalApi:
    """The endpoints; `token` None means that there are none."""

    token: str | None
    kept: RedisApprovals
    journal: RedisJournal
    clock: Clock

    @property
    def routes(self) -> list[Route]:
        one = f"{PATH}/{{run}}"
        return [
            Route(PATH, self._guarded(self._list), methods=["GET"]),
            Route(one, self._guarded(self._show), methods=["GET"]),
            Route(one, self._guarded(self._edit), methods=["PUT"]),
            Route(f"{one}/approve", self._guarded(self._approve), methods=["POST"]),
            Route(f"{one}/reject", self._guarded(self._reject), methods=["POST"]),
        ]

    def _guarded(self, act: Act) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            try:
                check_api(self.token, dict(reversed(request.scope["headers"])))
                return await act(request.path_params.get("run", "")[:MAX_RUN], request)
            except UnsendableError as error:
                return refuse(422, str(error))
            except FAILING as error:
                return refused(error)[1]

        return endpoint

    async def _list(self, run: str, request: Request) -> Response:
        return JSONResponse({"approvals": [in_short(one) for one in await self.kept.waiting()]})

    async def _show(self, run: str, request: Request) -> Response:
        letter = await self.kept.get(run)
        return JSONResponse(in_full(letter)) if letter else await self._refuse(run, Answer.GONE)

    async def _edit(self, run: str, request: Request) -> Response:
        said = await _read(request, Edit)
        letter = await self.kept.get(run)
        if letter is None or letter.edition != said.edition:
            return await self._refuse(run, Answer.CHANGED if letter else Answer.GONE)
        answer = await self.kept.edit(letter, said.subject, said.text, said.by, self.clock())
        return await self._answer(run, answer)

    async def _approve(self, run: str, request: Request) -> Response:
        said = await _read(request, Approve)
        return await self._decide(run, Decision(Standing.APPROVED, said.by, edition=said.edition))

    async def _reject(self, run: str, request: Request) -> Response:
        said = await _read(request, Reject)
        reason = one_line(said.reason, MAX_REASON)
        return await self._decide(run, Decision(Standing.REJECTED, said.by, reason, said.edition))

    async def _decide(self, run: str, decision: Decision) -> Response:
        return await self._answer(run, await self.kept.decide(run, decision, self.clock()))

    async def _answer(self, run: str, answer: Answer) -> Response:
        if answer is not Answer.DONE:
            return await self._refuse(run, answer)
        letter: Letter | None = await self.kept.get(run)
        # A worker may have sent it by now, and nothing is kept of it any more.
        return JSONResponse(in_short(letter) if letter else {"run": run})

    async def _refuse(self, run: str, answer: Answer) -> Response:
        why = await became(self.kept, self.journal, run, answer)
        unknown = answer is Answer.GONE and await self.journal.get(run) is None
        return refuse(404 if unknown else 409, "there is no such run" if unknown else why)


async def _read(request: Request, model: type[B]) -> B:
    """Read a body. Raises Malformed, Misfit and HTTPException."""
    _, value = read_payload(await read_body(request.scope, request.receive, MAX_BODY))
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(step) for step in first["loc"][:3])[:100]
        raise Misfit(f"{place}: {first['msg'].removeprefix('Value error, ')[:200]}") from None
