"""What may have been done before writes were lost, as far as Redis can tell."""

from __future__ import annotations

import json
from collections.abc import Sequence

from engine.flow.doubt import Unsettled
from engine.flow.stores import Settled
from engine.mail.events import Event
from engine.store.base import Base
from engine.store.journal import RedisJournal


class RedisDoubts:
    """The Doubts port on Redis."""

    def __init__(self, base: Base) -> None:
        self._redis, self._key = base.redis, base.key
        self._journal = RedisJournal(base)

    async def unsettled(self) -> list[Unsettled]:
        """Open and dead runs, and those that wait for their label changes."""
        runs = [*await self._redis.zrange(self._key("due"), 0, -1)]
        runs += await self._redis.zrange(self._key("dead"), 0, -1)
        for mailbox in await self.mailboxes():
            for text in await self._redis.lrange(self._key("groups", mailbox), 0, -1):
                runs += [part["run"] for parts in json.loads(text)["runs"].values() for part in parts]
        found = [await self._journal.get(run) for run in dict.fromkeys(runs)]
        return [Unsettled(one.run, frozenset(one.receipts)) for one in found if one]

    async def mailboxes(self) -> list[str]:
        return sorted(await self._redis.hkeys(self._key("cursor")))

    async def doubt_run(self, run: str) -> None:
        await self._redis.hset(self._key("run", run), "doubt", "1")

    async def doubt_mailbox(self, mailbox: str, history: int, now: int) -> None:
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(self._key("doubt"), mailbox, history)
            pipe.hset(self._key("doubted"), mailbox, now)
            # A ring may be among what was lost: the history is read once more, as for a ring.
            pipe.hincrby(self._key("wanted"), mailbox, 1)
            # Whoever drains the lane still began before it was in doubt.
            pipe.delete(self._key("lease", mailbox))
            await pipe.execute()

    async def doubt_calls(self, lanes: Sequence[str], until: int) -> None:
        """Have what calls set off looked up before it is done: until then one may come a second time."""
        async with self._redis.pipeline(transaction=True) as pipe:
            for lane in lanes:
                pipe.hset(self._key("doubt"), lane, until)
                pipe.delete(self._key("lease", lane))
            await pipe.execute()

    async def queued_events(self, mailbox: str) -> list[Event]:
        fresh = await self._redis.xrange(self._key("events", mailbox))
        aside = await self._redis.hvals(self._key("waiting", mailbox))
        texts = [fields["event"] for _, fields in fresh] + [json.loads(text)[0] for text in aside]
        return [Event.from_json(text) for text in texts]

    async def remember_answer(self, once: str, run: str, ms: int) -> None:
        await self._redis.set(self._key("once", once), run, px=ms, nx=True)

    async def settle(self, settled: Settled, now: int) -> None:
        await self._journal.settle(settled, now)
