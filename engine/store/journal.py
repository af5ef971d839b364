"""The journal in Redis: runs with their claims, receipts and outcome; dead letters."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from engine.errors import Unavailable
from engine.flow.content import Content
from engine.flow.plan import Run
from engine.flow.recorded import Recorded, Undone
from engine.flow.stores import Claim, Settled
from engine.mail.events import SUMMARY_DUE, Event, EventKind
from engine.rules.effects import ChangeLabels
from engine.store.base import JOB_TTL_MS, Base, chunks
from engine.store.batch import dump
from engine.store.calls import read_content


class RedisJournal:
    """The Journal port on Redis, and what commands read of it."""

    def __init__(self, base: Base) -> None:
        self._base, self._redis, self._key = base, base.redis, base.key

    async def claim(self, run: str, now: int, deadline: int, margin: int) -> Claim | int | None:
        nonce = secrets.token_hex(8)
        keys = [self._key("run", run), self._key("due")]
        answer = await self._base.scripts("claim", keys, [run, nonce, now, deadline, margin])
        if answer[0] == "closed":
            return None
        if answer[0] == "wait":
            return int(float(answer[1]))
        try:
            claim = _claim(dict(zip(answer[1::2], answer[2::2], strict=True)), nonce, deadline)
        except ValueError:
            await self._base.scripts("bury", [], [run, "this version cannot read the run", now])
            return None
        kind = claim.run.kind
        if (kind.of_message and not kind.emitted) or kind is SUMMARY_DUE:
            return claim
        return replace(claim, content=await self.content(run))

    async def content(self, run: str) -> Content | None:
        """What the call brought along that set a run off, until the run is settled."""
        return read_content(await self._redis.hgetall(self._key("content", run)))

    async def release(
        self, claim: Claim, *, again: int, unknown: bool, looks: int, why: str, failing: int = 0
    ) -> None:
        keys = [self._key("run", claim.run.id), self._key("due")]
        args: list[str | int] = [claim.run.id, held_claim(claim), again, int(unknown), looks, why, failing]
        await self._base.scripts("release", keys, args)

    async def delay(self, claim: Claim, until: int) -> None:
        keys = [self._key("run", claim.run.id), self._key("due"), self._key("delayed")]
        await self._base.scripts("delay", keys, [claim.run.id, held_claim(claim), until])

    async def note(self, claim: Claim, step: int, text: str) -> str:
        args: list[str | int] = [held_claim(claim), step, text]
        kept = await self._base.scripts("note", [self._key("run", claim.run.id)], args)
        if kept is None:
            raise Unavailable("another worker has taken the run over")
        return str(kept)

    async def in_use(self, claim: Claim, keys: Sequence[str], now: int) -> str:
        run = claim.run
        readers = [self._key("readers", run.mailbox, key) for key in keys]
        return str(await self._base.scripts("in_use", readers, [run.id, now]))

    async def settle_emitted(self, settled: Settled, event: Event, now: int, claim: Claim) -> None:
        lane, job = event.mailbox, self._base.drain_job(event.mailbox)
        keys = [self._key("events", lane), self._key("awake"), self._base.queue]
        args: list[str | int] = [
            settled.run,
            settled.step,
            dump(settled.receipt),
            now,
            held_claim(claim),
            lane,
        ]
        args += [job.id, job.payload, JOB_TTL_MS, claim.run.trace, event.to_json()]
        await self._base.scripts("emit", keys, args)

    async def settle(self, settled: Settled, now: int, claim: Claim | None = None) -> bool:
        strict = int(claim is not None and settled.receipt["outcome"] != "done")
        args: list[str | int] = [settled.run, settled.step, dump(settled.receipt), int(settled.failed), now]
        held = held_claim(claim) if claim else ""
        keep = int(claim is not None and isinstance(claim.run.steps[settled.step], ChangeLabels))
        return int(await self._base.scripts("settle", [], [*args, held, strict, keep])) > 0

    async def get(self, run: str) -> Recorded | None:
        fields = await self._redis.hgetall(self._key("run", run))
        if not fields:
            return None
        try:
            return _recorded(fields)
        except ValueError:
            return _unreadable(run, fields)

    async def get_all(self, runs: Sequence[str]) -> list[Recorded]:
        """Those of the runs that are there and can be read."""
        found: list[Recorded] = []
        for chunk in chunks(runs):
            async with self._redis.pipeline(transaction=False) as pipe:
                for run in chunk:
                    pipe.hgetall(self._key("run", run))
                for fields in await pipe.execute():
                    with suppress(ValueError):
                        found += [_recorded(fields)] if fields else []
        return found

    async def find(self, start: str) -> list[str]:
        """Ids of runs that begin with `start`."""
        pages = self._redis.zscan_iter(self._key("runs"), match=f"{start}*")
        return [member async for member, _ in pages if member.startswith(start)]

    async def newest(self, count: int, *, mailbox: str = "", rule: str = "", dead: bool = False) -> list[str]:
        """Ids of the newest runs, of one mailbox, of one rule, of both, or of the dead ones."""
        if mailbox and rule and not dead:
            both = [self._key("runs:mailbox", mailbox), self._key("runs:rule", rule)]
            return list(reversed(await self._redis.zinter(both, aggregate="MAX")))[:count]
        index = self._key("dead") if dead else self._index(mailbox, rule)
        return list(await self._redis.zrevrange(index, 0, count - 1))

    async def reopen(self, run: str, now: int) -> bool:
        """Open a dead run again from the first step that failed; False if it is not dead."""
        recorded = await self.get(run)
        if recorded is None:
            return False
        failed = [step for step, receipt in recorded.receipts.items() if receipt["outcome"] == "failed"]
        return bool(await self._base.scripts("reopen", [], [run, now, *failed]))

    async def dismiss(self, run: str, now: int) -> bool:
        """Settle a dead run as it is; False if it is not dead."""
        return bool(await self._base.scripts("dismiss", [], [run, now]))

    def _index(self, mailbox: str, rule: str) -> str:
        if mailbox:
            return self._key("runs:mailbox", mailbox)
        return self._key("runs:rule", rule) if rule else self._key("runs")


def _unreadable(run: str, fields: Mapping[str, str]) -> Recorded:
    """A run that another version wrote: enough to show it and to settle it."""
    kind = EventKind.MESSAGE_RECEIVED
    blank = Run(id=run, rule="?", event="?", kind=kind, mailbox="?", key="?", digest="?", created=0.0)
    return Recorded(blank, fields["state"], {}, int(fields.get("attempts", 0)), fields.get("why", ""))


def held_claim(claim: Claim) -> str:
    """The text by which scripts know whose claim it is."""
    return f"{claim.nonce} {claim.deadline}"


def _claim(fields: Mapping[str, str], nonce: str, deadline: int) -> Claim:
    recorded = _recorded(fields)
    first = 0 if "replayed" in fields else recorded.run.grouped
    open_steps = (step for step in range(first, len(recorded.run.steps)) if step not in recorded.receipts)
    return Claim(
        run=recorded.run,
        nonce=nonce,
        step=next(open_steps, None),
        deadline=deadline,
        attempt=recorded.attempts,
        unknown=fields.get("unknown") == "1" or "doubt" in fields,
        looks=int(fields.get("looks", 0)),
        since=int(fields.get("replayed") or recorded.run.created * 1000),
        receipts=recorded.receipts,
        failing=int(fields.get("failing", 0)),
        doubtful="doubt" in fields,
        notes={
            int(name.partition(":")[2]): text for name, text in fields.items() if name.startswith("note:")
        },
    )


def _recorded(fields: Mapping[str, str]) -> Recorded:
    receipts = {
        int(name.partition(":")[2]): json.loads(text)
        for name, text in fields.items()
        if name.startswith("receipt:")
    }
    run = Run.model_validate_json(fields["run"])
    attempts = int(fields.get("attempts", 0))
    failed = (receipt["why"] for receipt in receipts.values() if receipt["outcome"] == "failed")
    last = "" if fields["state"] == "done" else fields.get("why", run.undecided)
    why = next(failed, last)
    undone = json.loads(fields["undone"]) if "undone" in fields else None
    return Recorded(
        run,
        fields["state"],
        receipts,
        attempts,
        why,
        int(fields.get("ended", 0)),
        Undone(undone["at"], undone["by"], tuple(undone["left"])) if undone else None,
    )
