"""A small version of each proof of `make prove`."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from prove import faults, forging, hiding, hooks, kills, memory, month, soak, torn
from prove.proof import Proof, Sizes

SMALL = Sizes(
    messages=50,
    hits=6,
    calls=80,
    torn=60,
    cuts=3,
    judged=600,
    seconds=8.0,
    days=2,
    people=1,
    rounds=3,
    within=120.0,
)
QUICK = tuple(kind for kind in faults.KINDS if kind not in ("silent", "401"))
"""What takes neither a timeout nor a pause."""

Prove = Callable[[Sizes, Path], Coroutine[Any, Any, Proof]]


@pytest.mark.e2e
@pytest.mark.parametrize(
    "prove",
    [
        pytest.param(kills.prove, id="all is done once while web, workers and Redis are killed and stopped"),
        pytest.param(hooks.prove, id="each key of other systems' calls has one mail while all is killed"),
        pytest.param(torn.prove, id="nothing acknowledged is lost when Redis' file is torn"),
        pytest.param(
            partial(faults.prove, kinds=QUICK, longest_wait=0.2), id="all is done once while calls fail"
        ),
        pytest.param(memory.prove, id="a worker's memory stays flat"),
        pytest.param(soak.prove, id="a steady rate leaves lag and memory flat"),
        pytest.param(
            month.prove, id="machines that answer everything are neither flooded nor answered for ever"
        ),
        pytest.param(forging.prove, id="forged webhooks are refused as quickly as good ones are taken"),
        pytest.param(hiding.prove, id="neither secrets nor text of messages come to light"),
    ],
)
async def test_it_holds(prove: Prove, tmp_path: Path) -> None:
    proof = await prove(SMALL, tmp_path)
    assert proof.facts
