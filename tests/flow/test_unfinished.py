"""A look-up that breaks off goes on soon, however often it was tried."""

from __future__ import annotations

import pytest

from engine.errors import OutcomeUnknown, Unavailable, Unfinished
from tests.flow.conftest import World
from tests.flow.test_execute import LOOK_GAP, REPLY, again, opened


@pytest.mark.parametrize("late", [False, True], ids=["it has read enough at once", "its deadline has passed"])
async def test_a_look_that_is_not_at_its_end_goes_on_soon(world: World, late: bool) -> None:
    async def take_long() -> None:
        world.clock.forward(world.timeout)

    run = await opened(world, REPLY)
    world.provider.failures["send"] = [OutcomeUnknown("no answer")]
    at = await world.execute(run)
    error = (
        Unavailable("the deadline passed before the call was begun") if late else Unfinished("not told yet")
    )
    world.provider.failures["find"] = [error for _ in range(12)]
    for _ in range(12):
        assert at is not None
        if late:
            world.provider.meanwhile["find"] = take_long
        world.clock.now = at
        at = await world.execute(run)
        assert at == world.clock() + LOOK_GAP
    await again(world, run)
    assert len(world.provider.sent) == 1
