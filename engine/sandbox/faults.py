"""Failures on demand: what the service is told to do wrong, and how often."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
from starlette.responses import Response

from engine.sandbox.failure import ApiError, invalid

CUT = "sandbox.cut"
"""The ASGI extension under which the server offers to cut a connection."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to do wrong. Several may be said at once: a delay, then a status."""

    operation: str
    """An operationId of the OpenAPI file, `token`, or `*` for any."""
    times: int = 1
    status: int = 0
    """Answer with this status and do nothing; 0 for none."""
    retry_after: str = ""
    """The Retry-After header that goes with `status`."""
    drop_after: bool = False
    """Do what was asked, then cut the connection without an answer."""
    delay: float = 0.0
    """Seconds to wait before doing anything."""


@dataclass(slots=True)
class Faults:
    """The faults still to be shown, in the order in which they were asked for."""

    waiting: list[Fault] = field(default_factory=list)

    def take(self, operation: str) -> Fault | None:
        """Take the first fault meant for an operation."""
        for index, fault in enumerate(self.waiting):
            if fault.operation in (operation, "*"):
                left = replace(fault, times=fault.times - 1)
                self.waiting[index : index + 1] = [left] if left.times > 0 else []
                return fault
        return None


async def perform(fault: Fault | None, act: Callable[[], Awaitable[Response]]) -> Response:
    """Act, as wrongly as the fault says. Raises ApiError for a status."""
    if fault is None:
        return await act()
    if fault.delay:
        await asyncio.sleep(fault.delay)
    if fault.status:
        headers = {"Retry-After": fault.retry_after} if fault.retry_after else {}
        raise ApiError(fault.status, "A fault that was asked for.", headers=headers)
    response = await act()
    return Cut() if fault.drop_after else response


class Cut(Response):
    """No answer at all: the connection ends."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        cut = scope.get("extensions", {}).get(CUT)
        if cut is None:  # called in process: raise what a client would see
            raise httpx.ReadError("the sandbox cut the connection")
        cut["abort"]()
        await asyncio.sleep(0)  # lets the server notice, so that it does not answer for us


def read_faults(body: object) -> list[Fault]:
    """Read faults from JSON. Raises ApiError 400 naming what is wrong."""
    if not isinstance(body, list):
        raise invalid("faults", "Send a list of faults.")
    return [_fault(item) for item in body]


def _fault(item: object) -> Fault:
    if not isinstance(item, dict) or not isinstance(item.get("operation"), str):
        raise invalid("operation", "A fault names its operation.")
    kinds = {
        "operation": str,
        "times": int,
        "status": int,
        "retry_after": str,
        "drop_after": bool,
        "delay": float,
    }
    for key, value in item.items():
        wanted = (int, float) if kinds.get(key) is float else kinds.get(key)
        if wanted is None or not isinstance(value, wanted):
            raise invalid(key[:100], "A fault has operation, times, status, retry_after, drop_after, delay.")
    return Fault(**item)
