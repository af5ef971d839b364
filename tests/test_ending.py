"""Ending a task, also one in which a cancellation gets lost."""

from __future__ import annotations

import asyncio

import pytest

from engine import ending
from engine.ending import end


async def test_a_task_that_waits_is_ended() -> None:
    task = asyncio.create_task(asyncio.Event().wait())
    await end(task)
    assert task.cancelled()


async def test_a_cancellation_that_got_lost_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending, "AGAIN_AFTER_S", 0.01)
    lost = 0

    async def deaf() -> None:
        nonlocal lost
        while lost < 3:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                lost += 1

    task = asyncio.create_task(deaf())
    await asyncio.sleep(0)
    await end(task)
    assert lost == 3


async def test_what_a_task_raised_stays_with_it() -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    task = asyncio.create_task(fail())
    await asyncio.wait({task})
    await end(task)
    assert isinstance(task.exception(), ZeroDivisionError)
