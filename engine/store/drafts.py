"""Our drafts in Redis: one hash for each thread in which one lies."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from engine.flow.drafts import Home, Left, Turn
from engine.flow.plan import Run
from engine.store.base import Base
from engine.store.batch import dump

KEPT_MS = 90 * 86_400_000
"""A thread that was silent for so long gets a new draft."""
LEFT = "left "


class RedisDrafts:
    """The Drafts port on Redis."""

    def __init__(self, base: Base) -> None:
        self._base, self._redis, self._key = base, base.redis, base.key

    async def take(self, home: Home, run: Run, arrived: int) -> Left | Turn | None:
        args: list[str | int] = [home.name, run.id, arrived, KEPT_MS]
        answer, text = await self._base.scripts("take_draft", [self._at(home)], args)
        if answer != "yours":
            return Turn(answer)
        return _left(text) if text else None

    async def record(self, home: Home, run: Run, left: Left) -> None:
        await self._put_down(home, run.id, "left", _text(left), run.arrived)

    async def put_down(self, home: Home, run: Run) -> None:
        await self._put_down(home, run.id)

    async def forget(self, home: Home, run: Run, left: Left, answered: int) -> None:
        await self._put_down(home, run.id, "gone", _text(left), answered)

    async def stir(self, mailbox: str, drafts: Sequence[str], now: int) -> None:
        if drafts:
            await self._base.scripts("stir", [self._key("asking", mailbox)], [now, *drafts])

    async def in_threads(self, mailbox: str, threads: Sequence[str]) -> Mapping[Home, Left]:
        async with self._redis.pipeline(transaction=False) as pipe:
            for thread in threads:
                pipe.hgetall(self._key("drafts", mailbox, thread))
            found = await pipe.execute()
        return {
            Home(mailbox, thread, name.removeprefix(LEFT)): _left(text)
            for thread, fields in zip(threads, found, strict=True)
            for name, text in fields.items()
            if name.startswith(LEFT)
        }

    async def _put_down(self, home: Home, *words: str | int) -> None:
        await self._base.scripts("put_down", [self._at(home)], [home.name, *words])

    def _at(self, home: Home) -> str:
        return self._key("drafts", home.mailbox, home.thread)


def _text(left: Left) -> str:
    return dump([left.id, left.digest, left.run, left.rule])


def _left(text: str) -> Left:
    return Left(*json.loads(text))
