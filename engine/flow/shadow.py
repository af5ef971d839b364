"""Planning that writes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.flow.plan import Run
from engine.flow.stores import Commit, Memories
from engine.rules.memory import Kept


class Shadow:
    """What was done and seen before, with what a preview adds to it, which is written nowhere."""

    def __init__(self, lanes: Memories) -> None:
        self._lanes = lanes
        self._once: dict[str, str] = {}
        self._kept: dict[str, Kept] = {}

    async def once(self, keys: Sequence[str]) -> Mapping[str, str]:
        own = {key: self._once[key] for key in keys if key in self._once}
        return {**await self._lanes.once(keys), **own}

    async def recall(self, lane: str, keys: Sequence[str]) -> dict[str, Kept]:
        own = {key: self._kept[key] for key in keys if key in self._kept}
        return {**await self._lanes.recall(lane, keys), **own}

    async def recorded(self, runs: Sequence[str]) -> dict[str, Run | None]:
        return await self._lanes.recorded(runs)

    def absorb(self, commit: Commit) -> None:
        """Take in what would have been written."""
        self._once |= dict.fromkeys(commit.once, "")
        self._kept |= {key: kept for key, (kept, _) in commit.memory.items()}


@dataclass(frozen=True)
class Trial:
    """What planning needs where nothing is written."""

    lanes: Shadow
    configured: frozenset[str]
    answer_within: int
