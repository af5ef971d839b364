"""What audits read of the store."""

from __future__ import annotations

import json
from collections.abc import Sequence

from engine.flow.mailboxes import Cursor
from engine.store.base import Base, chunks
from engine.store.judged import read_judged
from engine.store.mailboxes import RedisMailboxes


class RedisRecords:
    """The Records port on Redis."""

    def __init__(self, base: Base) -> None:
        self._base, self._redis, self._key = base, base.redis, base.key

    async def cursor(self, mailbox: str) -> Cursor | None:
        return await RedisMailboxes(self._base).cursor(mailbox)

    async def origin(self, mailbox: str) -> int:
        return int(await self._redis.hget(self._key("origin"), mailbox) or 0)

    async def judged_rules(self, mailbox: str, keys: Sequence[str]) -> dict[str, tuple[str, ...]]:
        judged = await read_judged(self._base, mailbox, keys)
        return {key: tuple(json.loads(record)[2]) for key, record in judged.items()}

    async def queued_keys(self, lane: str) -> frozenset[str]:
        fresh = await self._redis.xrange(self._key("events", lane))
        aside = await self._redis.hvals(self._key("waiting", lane))
        events = [fields["event"] for _, fields in fresh] + [json.loads(text)[0] for text in aside]
        return frozenset(json.loads(event)["key"] for event in events)

    async def run_states(self, runs: Sequence[str]) -> dict[str, str]:
        states: dict[str, str] = {}
        for chunk in chunks(runs):
            async with self._redis.pipeline(transaction=False) as pipe:
                for run in chunk:
                    pipe.hget(self._key("run", run), "state")
                states |= {
                    run: state for run, state in zip(chunk, await pipe.execute(), strict=True) if state
                }
        return states
