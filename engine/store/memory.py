"""What rules remember, in Redis: one string for each thing, which lives as long as it counts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from engine.rules.memory import Kept
from engine.store.base import Base, chunks
from engine.store.batch import Batch, dump


async def recall(base: Base, lane: str, keys: Sequence[str]) -> dict[str, Kept]:
    """Look up what is remembered under every key, nothing where nothing is; one round trip."""
    if not keys:
        return {}
    async with base.redis.pipeline(transaction=False) as pipe:
        for chunk in chunks(keys):
            pipe.mget([base.key("memory", lane, key) for key in chunk])
        texts = [text for found in await pipe.execute() for text in found]
    return {key: _read(text) if text else Kept() for key, text in zip(keys, texts, strict=True)}


def remember(batch: Batch, base: Base, lane: str, memory: Mapping[str, tuple[Kept, int]]) -> None:
    """Write what a batch has to remember with all else that it decided."""
    for key, (kept, lives) in memory.items():
        text = dump([kept.keep, kept.window, kept.sightings])
        batch.add("SET", base.key("memory", lane, key), text, "PX", lives)


def _read(text: str) -> Kept:
    keep, window, sightings = json.loads(text)
    return Kept(tuple((at, which) for at, which in sightings), keep, window)
