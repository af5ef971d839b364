"""One call to Zoom Mail: budget, token, request, and what its failure means."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, stop_before_delay
from tenacity.wait import wait_random_exponential

from engine import metrics, tracing
from engine.deadline import DEADLINE
from engine.errors import OutcomeUnknown, ProviderError, RateLimited, Rejected, Unauthorized, Unavailable
from engine.flow.ports import RateBudget, Token
from engine.net.client import HttpClient
from engine.net.failures import Answer, BadAnswer, to_error
from engine.providers.zoom_mail.models import ApiError, read_answer
from engine.providers.zoom_mail.oauth import Tokens
from engine.providers.zoom_mail.operations import Operation

T = TypeVar("T", bound=BaseModel)
R = TypeVar("R")

LONGEST_WAIT_S = 1.0
"""More than that for budget, and the caller had better do something else."""
LONGEST_IN_LINE_S = 10.0
"""Nor for longer in line, a second at a time: a claimed send would take its deadline for a lost answer."""
ONCE_WITHIN_S = 45.0
"""A call that must not be repeated is over by then, token and budget included: below `execute.margin`."""
MAX_TRIES = 3
TRY_WITHIN_S = 5.0
TRACKING = "x-zm-trackingid"

_CREDENTIAL_CODES = frozenset({124, 200, *range(4700, 4742)})
"""Zoom's own codes for a bad token, a missing permission and missing scopes (docs/api/errors)."""
_NO_SUCH_USER = 1001


@dataclass(frozen=True, slots=True)
class Ask:
    """One call with what it carries."""

    operation: Operation
    mailbox: str
    ids: tuple[str, ...] = ()
    params: Mapping[str, str] | None = None
    json: Any = None


class Caller:
    """Makes calls for one account. Raises ProviderErrors and nothing else."""

    def __init__(
        self,
        http: HttpClient,
        tokens: Tokens,
        budget: RateBudget,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._http, self._tokens, self._budget = http, tokens, budget
        self._clock, self._sleep = clock, sleep

    async def read(self, model: type[T], ask: Ask) -> T:
        """Call and read the answer's body."""

        async def once() -> T:
            return self._read(model, ask.operation, await self._answer(ask))

        return await self._persist(ask.operation, once)

    async def do(self, ask: Ask) -> None:
        """Call for its effect."""

        async def once() -> None:
            await self._answer(ask)

        await self._persist(ask.operation, once)

    async def aclose(self) -> None:
        await self._tokens.aclose()
        await self._http.aclose()

    async def _persist(self, operation: Operation, once: Callable[[], Coroutine[Any, Any, R]]) -> R:
        if operation.idempotent:
            return await self._repeat(once)
        try:
            async with asyncio.timeout(ONCE_WITHIN_S):
                return await once()
        except TimeoutError:
            pass
        raise OutcomeUnknown(f"{operation.name} was not answered within {ONCE_WITHIN_S:.0f} s")

    async def _repeat(self, once: Callable[[], Coroutine[Any, Any, R]]) -> R:
        """Try a few times; nearly every call works at once and must not pay for counting its tries."""
        began = time.monotonic()
        try:
            return await once()
        except Unavailable as error:
            first = [error]

        async def again() -> R:
            if first:
                raise first.pop()
            return await once()

        left = TRY_WITHIN_S - (time.monotonic() - began)
        retrying = AsyncRetrying(
            retry=retry_if_exception(self._worth_repeating),
            stop=stop_after_attempt(MAX_TRIES) | stop_before_delay(left),
            wait=wait_random_exponential(multiplier=0.2, max=2.0),
            sleep=self._sleep,
            reraise=True,
        )
        return await retrying(again)

    def _worth_repeating(self, error: BaseException) -> bool:
        return isinstance(error, Unavailable) and self._clock() < DEADLINE.get()

    async def _answer(self, ask: Ask) -> Answer:
        token = await self._tokens.current()
        answer = await self._send(ask, token)
        if answer.status == 401:
            answer = await self._send(ask, await self._tokens.renew(token))
        if answer.ok:
            return answer
        error = self._error(ask.operation, answer)
        if isinstance(error, RateLimited) and answer.status == 429:
            await self._budget.pause(ask.operation.rate, error.until)
        raise error

    async def _send(self, ask: Ask, token: Token) -> Answer:
        operation = ask.operation
        path = operation.address(ask.mailbox, ask.ids)
        await self._take(operation, ask.mailbox)
        status = "cancelled"
        try:
            with tracing.span("provider call", operation=operation.name, rate_class=operation.rate):
                answer = await self._http.ask(
                    operation.method,
                    f"{self._tokens.root(token)}{path}",
                    operation.call,
                    headers={"Authorization": f"Bearer {token.value}", "Accept": "application/json"},
                    params=ask.params,
                    json=ask.json,
                )
            status = "429" if answer.status == 429 else f"{answer.status // 100}xx"
        except ProviderError as error:
            status = type(error).__name__
            raise
        finally:
            metrics.CALLS.add(operation.name, operation.rate, status)
        return answer

    async def _take(self, operation: Operation, mailbox: str) -> None:
        waited, patience = 0.0, self._clock() + LONGEST_IN_LINE_S
        while (wait := await self._budget.take(operation.rate, mailbox)) > 0:
            if waited + wait > LONGEST_WAIT_S or self._clock() > patience:
                text = f"{operation.name}: the rate budget of {operation.rate} calls is used up"
                raise RateLimited(text, until=self._clock() + wait)
            await self._sleep(wait)
            waited += wait

    def _read(self, model: type[T], operation: Operation, answer: Answer) -> T:
        trouble: BadAnswer
        try:
            return read_answer(model, answer.body)
        except BadAnswer as error:
            trouble = error
        raise to_error(trouble, operation.call, self._clock(), tracking=self._tracking(answer))

    def _error(self, operation: Operation, answer: Answer) -> ProviderError:
        told = _told(answer)
        detail = self._http.redacted(f"{told.code} {told.message}") if told.message else ""
        error = to_error(
            answer, operation.call, self._clock(), detail=detail, tracking=self._tracking(answer)
        )
        if 400 <= answer.status < 500 and answer.status != 429:
            kind = _kind_of_code(told.code, type(error))
            return error if kind is type(error) else kind(str(error))
        return error

    def _tracking(self, answer: Answer) -> str:
        return self._http.redacted(answer.headers.get(TRACKING, ""))


def _told(answer: Answer) -> ApiError:
    try:
        return read_answer(ApiError, answer.body)
    except BadAnswer:
        return ApiError()


def _kind_of_code(code: int, kind: type[ProviderError]) -> type[ProviderError]:
    """Let Zoom's own code speak where the HTTP status says less."""
    if code in _CREDENTIAL_CODES:
        return Unauthorized
    if code == _NO_SUCH_USER:
        return Rejected
    return kind
