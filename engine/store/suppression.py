"""Suppressed addresses in Redis: one hash that the gate before every send reads."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from engine.flow.stores import Claim, Settled
from engine.flow.suppression import SOFT_WINDOW_MS, Bounced, Sent, Suppressed
from engine.mail.events import SUMMARY_DUE
from engine.store.base import CHUNK, Base
from engine.store.batch import dump
from engine.store.journal import held_claim


class RedisSuppressions:
    """The Suppressions port on Redis, and what the command does with it. Addresses are in normal form."""

    def __init__(self, base: Base) -> None:
        self._base, self._redis, self._key = base, base.redis, base.key

    async def soft(self, addresses: Sequence[str], now: int) -> dict[str, int]:
        async with self._redis.pipeline(transaction=False) as pipe:
            for address in addresses:
                pipe.zcount(self._key("soft", address), now - SOFT_WINDOW_MS, "+inf")
            return dict(zip(addresses, await pipe.execute(), strict=True))

    async def sent(self, run: str, step: int) -> Sent | None:
        fields = [f"receipt:{step}", "run", "claim", "unknown"]
        receipt, text, claim, unknown = await self._redis.hmget(self._key("run", run), fields)
        known = json.loads(text) if text else {"steps": []}
        if step >= len(known["steps"]):
            return None
        answers = not known["steps"][step].get("reply") and await self._answers(known)
        return Sent(
            known["mailbox"],
            json.loads(receipt) if receipt else None,
            tried=claim is not None or unknown == "1",
            to_all=bool(known["steps"][step].get("all")),
            beside_answer=answers,
        )

    async def _answers(self, run: Mapping[str, Any]) -> bool:
        """Say whether a run answers who wrote its message; of a summary, the run that began it."""
        if run["kind"] == SUMMARY_DUE:
            begun_by = run["event"].rpartition("/")[2].partition(".")[0]
            text = await self._redis.hget(self._key("run", begun_by), "run")
            return text is None or await self._answers(json.loads(text))
        return any(step.get("reply") for step in run["steps"])

    async def settle(self, settled: Settled, bounced: Bounced, now: int, claim: Claim) -> None:
        args: list[str | int] = [settled.run, settled.step, dump(settled.receipt), now, held_claim(claim)]
        args.append(SOFT_WINDOW_MS)
        for address, known in bounced.suppressed.items():
            args += [address, known.model_dump_json(exclude_defaults=True)]
        for address in bounced.soft:
            args += [address, ""]
        await self._base.scripts("suppress", [self._key("suppressed")], args)

    async def all(self) -> AsyncIterator[tuple[str, Suppressed]]:
        """Give every suppressed address; one that is written meanwhile may be left out."""
        told: set[str] = set()
        async for address, text in self._redis.hscan_iter(self._key("suppressed"), count=CHUNK):
            if address not in told:
                told.add(address)
                yield address, Suppressed.model_validate_json(text)

    async def lift(self, run: str, *, acts: bool) -> list[str]:
        found = [address async for address, known in self.all() if known.run == run]
        return [address for address in found if not acts or await self.remove(address)]

    async def add(self, address: str, known: Suppressed) -> bool:
        """Suppress an address; False if it is suppressed already, and then nothing is changed."""
        text = known.model_dump_json(exclude_defaults=True)
        return bool(await self._redis.hsetnx(self._key("suppressed"), address, text))

    async def remove(self, address: str) -> bool:
        """Let mail go to an address again, its bounces forgotten; False if it is not suppressed."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hdel(self._key("suppressed"), address)
            pipe.delete(self._key("soft", address))
            removed, _ = await pipe.execute()
        return bool(removed)
