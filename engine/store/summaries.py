"""Summaries in Redis: items beside the run that will send them, until it is due."""

from __future__ import annotations

from collections.abc import Mapping

from engine.errors import Unavailable
from engine.flow.stores import Claim
from engine.flow.summaries import MAX_BYTES, MAX_ITEMS, Addition, Gathered
from engine.store.base import Base
from engine.store.batch import dump
from engine.store.journal import held_claim

ITEM = "item:"


class RedisSummaries:
    """The Summaries port on Redis."""

    def __init__(self, base: Base) -> None:
        self._base, self._key = base, base.key

    async def add(self, addition: Addition, receipt: Mapping[str, str], claim: Claim, now: int) -> str:
        run, step = addition.run, addition.name.rpartition(".")[2]
        # The script alone knows which run it becomes: it puts its id between these two.
        head, tail = dump({**receipt, "summary": "\0"}).split(dump("\0")[1:-1])
        args: list[str | int] = [claim.run.id, step, head, tail, now, held_claim(claim)]
        args += [run.id, run.model_dump_json(), run.mailbox, run.rule, addition.due, addition.key]
        args += [f"{ITEM}{addition.name}", addition.item, MAX_ITEMS, MAX_BYTES]
        return str(await self._base.scripts("gather", [self._key("summary", addition.summary)], args))

    async def close(self, claim: Claim) -> Gathered:
        keys = [self._key("run", claim.run.id), self._key("content", claim.run.id)]
        answer = await self._base.scripts("close_summary", keys, [claim.run.id, held_claim(claim)])
        if answer is None:
            raise Unavailable("another worker has taken the run over")
        return _gathered(answer)

    async def take_out(self, summary: str, name: str, *, acts: bool = True) -> str:
        keys = [self._key("run", summary), self._key("content", summary)]
        return str(await self._base.scripts("take_out", keys, [summary, f"{ITEM}{name}", int(acts)]))


def _gathered(answer: list[str]) -> Gathered:
    fields = dict(zip(answer[::2], answer[1::2], strict=True))
    numbered = [text.partition(" ") for name, text in fields.items() if name.startswith(ITEM)]
    items = tuple(item for _, _, item in sorted(numbered, key=lambda one: int(one[0])))
    return Gathered(fields.get("key", ""), items, int(fields.get("more", 0)))
